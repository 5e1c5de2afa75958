/** What the parts of a phone share: who it is, how one request of its goes out, and what becomes of it. */
import type { BodyToSend, HeaderToSend } from '../wire/sip-build.js';
import type { SipResponse } from '../wire/sip-message.js';
import type { Call } from './call.js';
import type { Clock } from './clock.js';
import type { Client, Transactions } from './transactions.js';

export interface Self {
  /** As Via writes it. */
  readonly transport: 'UDP' | 'TCP' | 'TLS';
  /** Of this side's socket, as it knows it itself. */
  readonly host: string;
  readonly port: number;
  /** `sip:user@domain`. */
  readonly uri: string;
  /** Where the other side is to send requests. */
  readonly contact: string;
}

/** What became of one request. */
export interface Exchange {
  readonly request: Uint8Array;
  readonly sentAtMs: readonly number[];
  /** In the order in which they came. */
  readonly provisional: readonly SipResponse[];
  /** Null where nothing final came. */
  readonly response: SipResponse | null;
  /** From the first sending to the final answer; null without one. */
  readonly afterMs: number | null;
}

export interface Asking {
  readonly headers?: readonly HeaderToSend[];
  readonly body?: BodyToSend;
  /** See `ClientEvents`. */
  readonly isEnough?: (sentAtMs: readonly number[]) => boolean;
}

/** Answers a request once. */
export type Respond = (
  status: number,
  reason: string,
  more?: { readonly headers?: readonly HeaderToSend[]; readonly body?: BodyToSend },
) => void;

/** What a call needs of the phone that has it. */
export interface Line {
  readonly clock: Clock;
  readonly self: Self;
  readonly newBranch: () => string;
  /** So many random bytes in hexadecimal. */
  readonly hex: (bytes: number) => string;
  readonly send: (bytes: Uint8Array) => void;
  readonly exchange: (
    bytes: Uint8Array,
    asking: Asking,
    answered?: (response: SipResponse) => void,
  ) => Promise<Exchange>;
  readonly keep: (call: Call) => void;
  readonly forget: (call: Call) => void;
}

export const BRANCH_BYTES = 8;
export const TAG_BYTES = 4;
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, INFO, UPDATE';

/** One request after the other, each until its final answer or until nobody waits for it any more. */
export const createExchange =
  (clock: Clock, transactions: Pick<Transactions, 'begin'>): Line['exchange'] =>
  (bytes, { isEnough }, answered) =>
    new Promise((resolve) => {
      const provisional: SipResponse[] = [];
      const begunAtMs = clock.now();
      const client: { current: Client | null } = { current: null };
      let isOver = false;
      const over = (response: SipResponse | null): void => {
        if (isOver) return;
        isOver = true;
        const sentAtMs = client.current?.sentAtMs ?? [begunAtMs];
        resolve({ request: bytes, sentAtMs, provisional, response, afterMs: response && clock.now() - begunAtMs });
      };
      client.current = transactions.begin(bytes, {
        ...(isEnough && { isEnough }),
        answered: (response) => {
          answered?.(response);
          if (response.status < 200) provisional.push(response);
          else over(response);
        },
        silent: () => over(null),
      });
    });

/**
 * A telephone without a mouth: registers, calls and is called over one flow to one peer. Both ends of a rehearsed call are
 * made of it. It remembers every message that it sent and that came, byte for byte.
 */
import { BRANCH_COOKIE } from '../wire/sip-grammar.js';
import type { SipRequest } from '../wire/sip-message.js';
import { parseSip } from '../wire/sip-parse.js';
import { isAnswerable, isKeepable } from './bounds.js';
import type { Call } from './call.js';
import type { Clock } from './clock.js';
import { type Called, createIncoming, MAX_CALLS } from './incoming.js';
import { createJournal, type Message, nameOf, nameOfBytes } from './journal.js';
import { BRANCH_BYTES, createExchange, type Line, type Respond, type Self } from './line.js';
import { createOutgoing, type Outgoing } from './outgoing.js';
import { createTransactions, type Server, type Wire } from './transactions.js';

export interface Phone extends Outgoing {
  readonly messages: readonly Message[];
  /** Has as many calls as it may have; one that comes is refused. */
  isBusy(): boolean;
  /** Takes in one whole message; what is no SIP, or longer than a phone can answer, is not looked at. */
  hear(bytes: Uint8Array): void;
  /** Ends every open exchange without an answer, and sends nothing more. */
  close(): void;
}

interface PhoneRules {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly self: Self;
  /** The peer's address, for the Via of answers (RFC 3581 §4). */
  readonly peer: () => { readonly address: string; readonly port: number } | null;
  readonly random: (bytes: number) => Uint8Array;
  called(called: Called): void;
  /** Any other request outside of calls; 405 if left out. */
  asked?(request: SipRequest, respond: Respond): void;
}

export const createPhone = (rules: PhoneRules): Phone => {
  const { clock, wire, self, peer } = rules;
  const journal = createJournal(clock);
  const calls = new Set<Call>();
  const hex = (bytes: number): string => Buffer.from(rules.random(bytes)).toString('hex');
  const send = (bytes: Uint8Array): void => {
    journal.note('sent', bytes, nameOfBytes(bytes));
    wire.send(bytes);
  };
  const transactions = createTransactions({
    clock,
    wire: { ...wire, send },
    asked: (request: SipRequest, server: Server) => incoming(request, server),
  });
  const line: Line = {
    ...{ clock, self, hex, send, exchange: createExchange(clock, transactions) },
    newBranch: () => `${BRANCH_COOKIE}${hex(BRANCH_BYTES)}`,
    keep: (call) => calls.add(call),
    forget: (call) => calls.delete(call),
  };
  const incoming = createIncoming({ line, calls, peer, called: rules.called, asked: rules.asked });
  return {
    messages: journal.messages,
    isBusy: () => calls.size >= MAX_CALLS,
    ...createOutgoing(line),
    hear: (bytes) => {
      const parsed = parseSip(bytes);
      if (!parsed.ok || !isAnswerable(parsed.value, bytes.length)) return;
      journal.note('heard', Uint8Array.from(bytes), nameOf(parsed.value));
      // A request that is too much is told so; a response that is too much is as if it had not come.
      if (parsed.value.kind === 'request' || isKeepable(parsed.value)) transactions.hear(parsed.value);
    },
    close: () => {
      transactions.close();
      calls.clear();
    },
  };
};

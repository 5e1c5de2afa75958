/**
 * A telephone without a mouth: registers, calls and is called over one flow to one peer. Both ends of a rehearsed call are
 * made of it. It remembers every message that it sent and that came, byte for byte.
 */
import { type BodyToSend, buildRequest, buildResponse, type HeaderToSend } from '../wire/sip-build.js';
import { afterRequest, type Dialog, dialogOfRequest, isInOrder, isWithin } from '../wire/sip-dialog.js';
import { authorize, readChallenges } from '../wire/sip-digest.js';
import { BRANCH_COOKIE } from '../wire/sip-grammar.js';
import { headers, type SipMessage, type SipRequest, type SipResponse, toTag } from '../wire/sip-message.js';
import { parseSip } from '../wire/sip-parse.js';
import { type Call, callOfResponse, createCall } from './call.js';
import type { Clock } from './clock.js';
import { type Client, createTransactions, type Server, type Wire } from './transactions.js';

interface Self {
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

export interface Message {
  readonly direction: 'sent' | 'heard';
  readonly atMs: number;
  /** `INVITE 2`, `200 INVITE 2`: the same at both ends, whatever is changed on the way. */
  readonly name: string;
  readonly bytes: Uint8Array;
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

/** A call that is being asked for. */
export interface Calling {
  /** The answer, whatever it is. */
  readonly over: Promise<Exchange>;
  /** The call that stands; null where it was refused, or no answer came. */
  readonly call: Promise<Call | null>;
  /** Resolves at the first answer of any kind, with its status; with null if none comes. */
  readonly first: Promise<number | null>;
  /** Takes it back (RFC 3261 §9.1). */
  cancel(): Promise<Exchange>;
}

/** Somebody calls. */
export interface Called {
  readonly request: SipRequest;
  ring(status: 180 | 183, body?: BodyToSend): void;
  /** Null where the call was cancelled meanwhile, or the caller names no way back. */
  accept(body: BodyToSend, extra?: readonly HeaderToSend[]): Call | null;
  refuse(status: number, reason: string): void;
  /** Called when the caller takes it back. */
  onCancelled(told: () => void): void;
}

export interface Asking {
  readonly headers?: readonly HeaderToSend[];
  readonly body?: BodyToSend;
  /** See `ClientEvents`. */
  readonly isEnough?: (sentAtMs: readonly number[]) => boolean;
}

export interface Phone {
  readonly messages: readonly Message[];
  /** Takes in one whole message; what is no SIP is not looked at. */
  hear(bytes: Uint8Array): void;
  /** Asks for a registration, with the password if one is wanted; the last exchange is what came of it. */
  register(uri: string, expires: number, password: string, asking?: Asking): Promise<readonly Exchange[]>;
  /** Calls. */
  invite(uri: string, asking: Asking & { readonly body: BodyToSend }): Calling;
  /** Any other request outside of calls. */
  ask(method: string, uri: string, asking?: Asking): Promise<Exchange>;
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

/** Answers a request once. */
export type Respond = (
  status: number,
  reason: string,
  more?: { readonly headers?: readonly HeaderToSend[]; readonly body?: BodyToSend },
) => void;

/** A call with all its repetitions has some forty, of a kilobyte each. What goes beyond these is not remembered. */
const MAX_MESSAGES = 400;
const MAX_MESSAGES_BYTES = 160 * 1024;
const BRANCH_BYTES = 8;
const TAG_BYTES = 4;
/** A stale nonce, and once more. */
const MAX_CHALLENGES = 2;
const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, INFO, UPDATE';

/** What a call needs of the phone that has it. */
export interface Line {
  readonly clock: Clock;
  readonly self: Self;
  readonly newBranch: () => string;
  readonly send: (bytes: Uint8Array) => void;
  readonly exchange: (
    bytes: Uint8Array,
    asking: Asking,
    answered?: (response: SipResponse) => void,
  ) => Promise<Exchange>;
  readonly forget: (call: Call) => void;
}

/** Of a message: what it is, and its CSeq. */
const nameOf = (message: SipMessage): string => {
  const { sequence, method } = message.essentials.cseq;
  return `${message.kind === 'response' ? `${message.status} ` : ''}${method} ${sequence}`;
};

/** The same of a request's bytes. @throws Error for bytes that are none: the caller's mistake */
export const nameOfBytes = (bytes: Uint8Array): string => {
  const parsed = parseSip(bytes);
  if (!parsed.ok) throw new Error('a message of ours can be read');
  return nameOf(parsed.value);
};

export const createPhone = (rules: PhoneRules): Phone => {
  const { clock, wire, self, peer } = rules;
  const messages: Message[] = [];
  let remembered = 0;
  const calls = new Set<Call>();
  const pending = new Map<string, { cancel: () => void }>();
  const hex = (bytes: number): string => Buffer.from(rules.random(bytes)).toString('hex');
  const newBranch = (): string => `${BRANCH_COOKIE}${hex(BRANCH_BYTES)}`;
  const remember = (direction: Message['direction'], bytes: Uint8Array, name: string): void => {
    if (messages.length >= MAX_MESSAGES || remembered + bytes.length > MAX_MESSAGES_BYTES) return;
    remembered += bytes.length;
    messages.push({ direction, atMs: clock.now(), name, bytes });
  };
  const send = (bytes: Uint8Array): void => {
    remember('sent', bytes, nameOfBytes(bytes));
    wire.send(bytes);
  };
  const transactions = createTransactions({
    clock,
    wire: { ...wire, send },
    asked: (request, server) => asked(request, server),
  });

  const exchange: Line['exchange'] = (bytes, { isEnough }, answered) =>
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

  const line: Line = { clock, self, newBranch, send, exchange, forget: (call) => calls.delete(call) };

  const respondTo =
    (request: SipRequest, server: Server, tag: string): Respond =>
    (status, reason, more = {}) => {
      const from = peer();
      const bytes = buildResponse(request, {
        ...{ status, reason, toTag: toTag(request) === null ? tag : null },
        ...(from && { received: from }),
        extraHeaders: more.headers ?? [],
        ...(more.body && { body: more.body }),
      });
      server.answer(bytes, status);
    };

  const incoming = (request: SipRequest, server: Server): void => {
    const tag = hex(TAG_BYTES);
    const respond = respondTo(request, server, tag);
    const dialog = dialogOfRequest(request, tag);
    if (!dialog) return void respond(400, 'Bad Request');
    let isCancelled = false;
    let told: () => void = () => undefined;
    const key = request.essentials.via.branch ?? '';
    const settle = (): boolean => pending.delete(key) && !isCancelled;
    pending.set(key, {
      cancel: () => {
        if (!settle()) return;
        isCancelled = true;
        respond(487, 'Request Terminated');
        told();
      },
    });
    const routes = headers(request, 'record-route');
    const ofDialog: readonly HeaderToSend[] = [
      { name: 'Contact', value: `<${self.contact}>` },
      ...(routes.length === 0 ? [] : [{ name: 'Record-Route', value: routes.join(', ') }]),
    ];
    rules.called({
      request,
      ring: (status, body) =>
        respond(status, status === 180 ? 'Ringing' : 'Session Progress', {
          headers: ofDialog,
          ...(body && { body }),
        }),
      accept: (body, extra = []) => {
        if (!settle()) return null;
        const call = createCall(line, dialog, server);
        calls.add(call);
        respond(200, 'OK', { headers: [...ofDialog, { name: 'Allow', value: ALLOW }, ...extra], body });
        return call;
      },
      refuse: (status, reason) => {
        if (settle()) respond(status, reason);
      },
      onCancelled: (tell) => {
        told = tell;
      },
    });
  };

  const within = (request: SipRequest, server: Server): void => {
    const respond = respondTo(request, server, hex(TAG_BYTES));
    const call = [...calls].find((one) => isWithin(one.dialog(), request));
    if (!call) return void respond(481, 'Call/Transaction Does Not Exist');
    if (!isInOrder(call.dialog(), request)) return void respond(500, 'Server Internal Error');
    call.moved((dialog: Dialog) => afterRequest(dialog, request));
    call.hear(request, server, respond);
  };

  const asked = (request: SipRequest, server: Server): void => {
    if (request.method === 'CANCEL') {
      const waiting = pending.get(request.essentials.via.branch ?? '');
      const respond = respondTo(request, server, hex(TAG_BYTES));
      if (!waiting) return void respond(481, 'Call/Transaction Does Not Exist');
      respond(200, 'OK');
      return void waiting.cancel();
    }
    if (toTag(request) !== null) return void within(request, server);
    if (request.method === 'INVITE') return void incoming(request, server);
    const respond = respondTo(request, server, hex(TAG_BYTES));
    if (rules.asked) return void rules.asked(request, respond);
    respond(405, 'Method Not Allowed', { headers: [{ name: 'Allow', value: ALLOW }] });
  };

  const sequences = { next: 1 };
  /** A request outside of a dialog; each of a phone has a number of its own. */
  const outside = (
    method: string,
    uri: string,
    { headers: extraHeaders = [], body }: Asking,
    same?: { callId: string; tag: string },
  ) => {
    const callId = same?.callId ?? `${hex(BRANCH_BYTES)}@${self.host}`;
    const tag = same?.tag ?? hex(TAG_BYTES);
    const cseq = sequences.next;
    sequences.next += 1;
    const bytes = buildRequest({
      ...{ method, requestUri: uri, callId, cseq, contact: self.contact, extraHeaders },
      via: { transport: self.transport, host: self.host, port: self.port, branch: newBranch() },
      from: { uri: self.uri, tag },
      to: { uri: method === 'REGISTER' ? self.uri : uri },
      userAgent: 'callpath',
      ...(body && { body }),
    });
    return { bytes, callId, tag };
  };

  const register: Phone['register'] = async (uri, expires, password, asking = {}) => {
    const wanted: readonly HeaderToSend[] = [...(asking.headers ?? []), { name: 'Expires', value: String(expires) }];
    const first = outside('REGISTER', uri, { ...asking, headers: wanted });
    const all = [await exchange(first.bytes, asking)];
    for (let turn = 1; turn <= MAX_CHALLENGES; turn += 1) {
      const response = all.at(-1)?.response;
      if (!response || (response.status !== 401 && response.status !== 407)) break;
      const isProxy = response.status === 407;
      const [challenge] = readChallenges(headers(response, isProxy ? 'proxy-authenticate' : 'www-authenticate'));
      // A second challenge of a nonce that is not stale says that the password is wrong.
      if (!challenge || (turn > 1 && !challenge.isStale)) break;
      const username = /^sips?:([^@;]+)@/.exec(self.uri)?.[1] ?? '';
      const value = authorize(
        challenge,
        { username, password },
        { method: 'REGISTER', uri, cnonce: hex(BRANCH_BYTES), count: 1 },
      );
      const name = isProxy ? 'Proxy-Authorization' : 'Authorization';
      const again = outside('REGISTER', uri, { ...asking, headers: [...wanted, { name, value }] }, first);
      all.push(await exchange(again.bytes, asking));
    }
    return all;
  };

  const invite: Phone['invite'] = (uri, asking) => {
    const { bytes } = outside('INVITE', uri, asking);
    const parsed = parseSip(bytes);
    if (!parsed.ok || parsed.value.kind !== 'request') throw new Error('an INVITE of ours can be read');
    const request = parsed.value;
    let call: Call | null = null;
    let heardFirst: (status: number | null) => void = () => undefined;
    const first = new Promise<number | null>((resolve) => {
      heardFirst = resolve;
    });
    const over = exchange(bytes, asking, (response) => {
      heardFirst(response.status);
      if (response.status < 200 || response.status >= 300) return;
      if (!call) {
        call = callOfResponse(line, request, response);
        if (call) calls.add(call);
      }
      call?.acknowledge(request.essentials.cseq.sequence);
    });
    void over.then(() => heardFirst(null));
    return {
      over,
      first,
      call: over.then(() => call),
      cancel: () => {
        // The same branch, number and Request-URI, and no more than one Via (§9.1).
        const { via, callId, fromTag, cseq } = request.essentials;
        const bytesOfCancel = buildRequest({
          ...{ method: 'CANCEL', requestUri: request.uri, callId, cseq: cseq.sequence },
          via: { transport: self.transport, host: self.host, port: self.port, branch: via.branch ?? '' },
          from: { uri: self.uri, tag: fromTag ?? '' },
          to: { uri },
        });
        return exchange(bytesOfCancel, asking);
      },
    };
  };

  return {
    messages,
    hear: (bytes) => {
      const parsed = parseSip(bytes);
      if (!parsed.ok) return;
      remember('heard', Uint8Array.from(bytes), nameOf(parsed.value));
      transactions.hear(parsed.value);
    },
    register,
    invite,
    ask: (method, uri, asking = {}) => exchange(outside(method, uri, asking).bytes, asking),
    close: () => {
      transactions.close();
      calls.clear();
    },
  };
};

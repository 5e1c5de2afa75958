/** What a phone asks outside of calls: registering, calling, and anything else, with the password where one is wanted. */
import { type BodyToSend, buildRequest, type HeaderToSend } from '../wire/sip-build.js';
import { authorize, readChallenges } from '../wire/sip-digest.js';
import { headers, type SipRequest, type SipResponse } from '../wire/sip-message.js';
import { parseSip } from '../wire/sip-parse.js';
import { type Call, callOfResponse } from './call.js';
import { type Asking, BRANCH_BYTES, type Exchange, type Line, TAG_BYTES } from './line.js';

/** A call that is being asked for. */
interface Calling {
  /** The answer, whatever it is. */
  readonly over: Promise<Exchange>;
  /** The call that stands; null where it was refused, or no answer came. */
  readonly call: Promise<Call | null>;
  /** Resolves at the first answer of any kind that asks for no password, with its status; with null if none comes. */
  readonly first: Promise<number | null>;
  /** Takes it back (RFC 3261 §9.1). */
  cancel(): Promise<Exchange>;
}

/** An INVITE. */
type Inviting = Asking & {
  readonly body: BodyToSend;
  /** With which a challenge is answered; none is, if left out. */
  readonly password?: string | undefined;
};

export interface Outgoing {
  /** Asks for a registration, with the password if one is wanted; the last exchange is what came of it. */
  register(uri: string, expires: number, password: string, asking?: Asking): Promise<readonly Exchange[]>;
  /** Calls. */
  invite(uri: string, asking: Inviting): Calling;
  /** Any other request outside of calls. */
  ask(method: string, uri: string, asking?: Asking): Promise<Exchange>;
}

/** A stale nonce, and once more. */
const MAX_CHALLENGES = 2;

/** Of a request that is asked again with a password: what stays. */
interface Same {
  readonly callId: string;
  readonly tag: string;
}

type Outside = (method: string, uri: string, asking: Asking, same?: Same) => { readonly bytes: Uint8Array } & Same;

const isChallenge = ({ status }: SipResponse): boolean => status === 401 || status === 407;

/**
 * The header field that answers a challenge; null where it cannot be answered.
 * @param turn 1 for the first challenge of a request
 */
const answerTo = (
  response: SipResponse,
  { self, hex }: Line,
  { method, uri, password, turn }: { method: string; uri: string; password: string; turn: number },
): HeaderToSend | null => {
  if (!isChallenge(response) || turn > MAX_CHALLENGES) return null;
  const isProxy = response.status === 407;
  const [challenge] = readChallenges(headers(response, isProxy ? 'proxy-authenticate' : 'www-authenticate'));
  // A second challenge of a nonce that is not stale says that the password is wrong.
  if (!challenge || (turn > 1 && !challenge.isStale)) return null;
  const username = /^sips?:([^@;]+)@/.exec(self.uri)?.[1] ?? '';
  const value = authorize(challenge, { username, password }, { method, uri, cnonce: hex(BRANCH_BYTES), count: 1 });
  return { name: isProxy ? 'Proxy-Authorization' : 'Authorization', value };
};

/** The same branch, number and Request-URI as the INVITE, and no more than one Via (§9.1). */
const cancelOf = (invite: SipRequest, uri: string, { self }: Line): Uint8Array => {
  const { via, callId, fromTag, cseq } = invite.essentials;
  return buildRequest({
    ...{ method: 'CANCEL', requestUri: invite.uri, callId, cseq: cseq.sequence },
    via: { transport: self.transport, host: self.host, port: self.port, branch: via.branch ?? '' },
    from: { uri: self.uri, tag: fromTag ?? '' },
    to: { uri },
  });
};

const requestOf = (bytes: Uint8Array): SipRequest => {
  const parsed = parseSip(bytes);
  if (!parsed.ok || parsed.value.kind !== 'request') throw new Error('an INVITE of ours can be read');
  return parsed.value;
};

const beginCall = (line: Line, outside: Outside, uri: string, asking: Inviting): Calling => {
  const { password } = asking;
  let call: Call | null = null;
  let isTakenBack = false;
  let heardFirst: (status: number | null) => void = () => undefined;
  const first = new Promise<number | null>((resolve) => {
    heardFirst = resolve;
  });
  const sent = outside('INVITE', uri, asking);
  let request = requestOf(sent.bytes);
  const attempt = async (bytes: Uint8Array, turn: number): Promise<Exchange> => {
    const now = requestOf(bytes);
    request = now;
    const isAnswerable = (response: SipResponse): boolean => password !== undefined && isChallenge(response);
    const over = await line.exchange(bytes, asking, (response) => {
      if (!isAnswerable(response)) heardFirst(response.status);
      if (response.status < 200 || response.status >= 300) return;
      if (!call) {
        call = callOfResponse(line, now, response);
        if (call) line.keep(call);
      }
      call?.acknowledge(now.essentials.cseq.sequence);
    });
    const header =
      over.response && password !== undefined && !isTakenBack
        ? answerTo(over.response, line, { method: 'INVITE', uri, password, turn })
        : null;
    if (!header) return over;
    const again = outside('INVITE', uri, { ...asking, headers: [...(asking.headers ?? []), header] }, sent);
    return attempt(again.bytes, turn + 1);
  };
  const over = attempt(sent.bytes, 1);
  over.then(
    ({ response }) => heardFirst(response?.status ?? null),
    () => heardFirst(null),
  );
  const standing = over.then(() => call);
  // Whoever waits for the answer is told why there is none: who does not wait for the call need not be.
  standing.catch(() => undefined);
  return {
    over,
    first,
    call: standing,
    cancel: () => {
      // Else a challenge that is under way would be answered, and the other side ring after all.
      isTakenBack = true;
      return line.exchange(cancelOf(request, uri, line), asking);
    },
  };
};

export const createOutgoing = (line: Line): Outgoing => {
  const { self, hex, exchange } = line;
  const sequences = { next: 1 };
  /** A request outside of a dialog; each of a phone has a number of its own. */
  const outside: Outside = (method, uri, { headers: extraHeaders = [], body }, same) => {
    const callId = same?.callId ?? `${hex(BRANCH_BYTES)}@${self.host}`;
    const tag = same?.tag ?? hex(TAG_BYTES);
    const cseq = sequences.next;
    sequences.next += 1;
    const bytes = buildRequest({
      ...{ method, requestUri: uri, callId, cseq, contact: self.contact, extraHeaders },
      via: { transport: self.transport, host: self.host, port: self.port, branch: line.newBranch() },
      from: { uri: self.uri, tag },
      to: { uri: method === 'REGISTER' ? self.uri : uri },
      userAgent: 'callpath',
      ...(body && { body }),
    });
    return { bytes, callId, tag };
  };
  return {
    register: async (uri, expires, password, asking = {}) => {
      const wanted: readonly HeaderToSend[] = [...(asking.headers ?? []), { name: 'Expires', value: String(expires) }];
      const first = outside('REGISTER', uri, { ...asking, headers: wanted });
      const all = [await exchange(first.bytes, asking)];
      for (let turn = 1; ; turn += 1) {
        const response = all.at(-1)?.response;
        const header = response && answerTo(response, line, { method: 'REGISTER', uri, password, turn });
        if (!header) return all;
        const again = outside('REGISTER', uri, { ...asking, headers: [...wanted, header] }, first);
        all.push(await exchange(again.bytes, asking));
      }
    },
    invite: (uri, asking) => beginCall(line, outside, uri, asking),
    ask: (method, uri, asking = {}) => exchange(outside(method, uri, asking).bytes, asking),
  };
};

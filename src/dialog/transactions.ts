/**
 * SIP's transactions (RFC 3261 §17, with RFC 6026 for INVITEs that are accepted): sends again what is not answered, answers
 * again what comes again, and acknowledges. One of these is one flow to one peer. No sockets: it is given a sender, a clock,
 * and the messages that came.
 */
import { buildRequest } from '../wire/sip-build.js';
import { header, type SipMessage, type SipRequest, type SipResponse } from '../wire/sip-message.js';
import { readAddress } from '../wire/sip-parameters.js';
import { parseSip } from '../wire/sip-parse.js';
import { type Clock, GIVE_UP_MS, T1_MS, T2_MS, T4_MS, tcpSendings } from './clock.js';

export interface Wire {
  send(bytes: Uint8Array): void;
  /** TCP and TLS: nothing is sent again, the transport does it. */
  readonly isReliable: boolean;
}

export interface ClientEvents {
  /** Each response that belongs to it; of a 2xx to an INVITE each repetition, because each wants an ACK. */
  answered(response: SipResponse): void;
  /** Nothing final came in time. */
  silent(): void;
  /**
   * Asked before each repetition, over a connection before each of its own: enough was sent for the silence to mean something.
   * Never, if left out.
   */
  isEnough?(sentAtMs: readonly number[]): boolean;
}

export interface Client {
  /** When it went out, each time. */
  readonly sentAtMs: readonly number[];
  /** Sends no more, and hears no more. */
  stop(): void;
}

export interface Server {
  readonly request: SipRequest;
  /** How often its final answer went out. */
  readonly answers: number;
  /** Sends an answer, and sends a final one again as RFC 3261 §17.2 and §13.3.1.4 want. */
  answer(bytes: Uint8Array, status: number): void;
  /** Of an INVITE: called once when the ACK comes, or with false when it never came. */
  onAcknowledged(told: (came: boolean) => void): void;
}

export interface Transactions {
  /** Sends a request. @throws Error for bytes that are none: the caller's mistake */
  begin(bytes: Uint8Array, events: ClientEvents): Client;
  /** Takes in what came. */
  hear(message: SipMessage): void;
  /** Every open one ends as silent. What begins afterwards sends nothing and is silent at once; what comes is not heard. */
  close(): void;
}

interface TransactionRules {
  readonly wire: Wire;
  readonly clock: Clock;
  /** A new request came; not an ACK. */
  asked(request: SipRequest, server: Server): void;
}

/** Nobody lets it ring for longer; a proxy's timer C is as long (§16.6). */
const RINGING_MS = 180_000;
/** More at the same time are nobody's call; the rest is not looked at. */
const MAX_SERVERS = 64;

/** The ACK of a refusal repeats its INVITE's top Via, Request-URI, From, Call-ID and routes, with the answer's To (§17.1.1.3). */
const acknowledge = (invite: SipRequest, response: SipResponse): Uint8Array => {
  const { via, callId, fromTag, cseq } = invite.essentials;
  const uriOf = (name: 'from' | 'to'): string => readAddress(header(invite, name) ?? '')?.uri ?? invite.uri;
  const { toTag } = response.essentials;
  const routes = header(invite, 'route');
  return buildRequest({
    method: 'ACK',
    requestUri: invite.uri,
    via: {
      transport: via.transport,
      host: via.host,
      branch: via.branch ?? '',
      ...(via.port !== null && { port: via.port }),
    },
    from: { uri: uriOf('from'), tag: fromTag ?? '' },
    to: { uri: uriOf('to'), ...(toTag !== null && { tag: toTag }) },
    callId,
    cseq: cseq.sequence,
    ...(routes !== null && { extraHeaders: [{ name: 'Route', value: routes }] }),
  });
};

/** Runs `again` after T1, twice that, four times … up to `longestMs`; returns what ends it. */
const repeating = (clock: Clock, longestMs: number, again: () => void): (() => void) => {
  let cancel: () => void = () => undefined;
  const arm = (ms: number): void => {
    cancel = clock.after(ms, () => {
      arm(Math.min(2 * ms, longestMs));
      again();
    });
  };
  arm(Math.min(T1_MS, longestMs));
  return () => cancel();
};

const nothing = (): void => undefined;

interface OpenClient {
  readonly request: SipRequest;
  hear(response: SipResponse): void;
  /** Waits no longer, and says so if nothing final came. */
  giveUp(): void;
}

const createClient = (
  bytes: Uint8Array,
  request: SipRequest,
  { wire, clock }: Pick<TransactionRules, 'wire' | 'clock'>,
  events: ClientEvents,
  gone: () => void,
): Client & OpenClient => {
  const isInvite = request.method === 'INVITE';
  const sentAtMs: number[] = [];
  let final: SipResponse | null = null;
  let ack: Uint8Array | null = null;
  let stopRepeating: () => void = nothing;
  let stopWaiting: () => void = nothing;
  const stop = (): void => {
    stopRepeating();
    stopWaiting();
    gone();
  };
  const silent = (): void => {
    stop();
    events.silent();
  };
  const send = (): void => {
    sentAtMs.push(clock.now());
    wire.send(bytes);
  };
  /** A connection sends again by itself: whether that was enough is asked as often as it did. */
  const waitForTcp = (): void => {
    if (!events.isEnough) return;
    const begunAtMs = clock.now();
    stopRepeating = repeating(clock, GIVE_UP_MS, () => {
      if (events.isEnough?.(tcpSendings(begunAtMs, clock.now()))) silent();
    });
  };
  const begin = (): void => {
    send();
    stopWaiting = clock.after(GIVE_UP_MS, silent);
    if (wire.isReliable) return void waitForTcp();
    // Timer A doubles without end, timer E up to T2.
    stopRepeating = repeating(clock, isInvite ? GIVE_UP_MS : T2_MS, () => {
      if (events.isEnough?.(sentAtMs)) silent();
      else send();
    });
  };
  /** What comes again after the end is taken without a word for as long as it may be under way: timers D, K and M. */
  const linger = (ms: number): void => {
    stopRepeating();
    stopWaiting();
    stopWaiting = clock.after(ms, stop);
  };
  const hear = (response: SipResponse): void => {
    if (response.status < 200) {
      if (final) return;
      if (isInvite) {
        stopRepeating();
        stopWaiting();
        stopWaiting = clock.after(RINGING_MS, silent);
      } else if (!wire.isReliable) {
        // In "proceeding" timer E is T2 (§17.1.2.2).
        stopRepeating();
        stopRepeating = repeating(clock, T2_MS, send);
      }
      events.answered(response);
      return;
    }
    const isAccepted = response.status < 300;
    if (isInvite && !isAccepted) {
      ack ??= acknowledge(request, response);
      wire.send(ack);
    }
    const isFirst = final === null;
    if (isFirst) {
      final = response;
      linger(isInvite ? (wire.isReliable && !isAccepted ? 0 : GIVE_UP_MS) : wire.isReliable ? 0 : T4_MS);
    }
    if (isFirst || (isInvite && isAccepted)) events.answered(response);
  };
  begin();
  return { request, sentAtMs, hear, stop, giveUp: () => (final ? stop() : silent()) };
};

interface OpenServer extends Server {
  again(): void;
  acknowledged(): void;
  stop(): void;
}

const createServer = (
  request: SipRequest,
  { wire, clock }: Pick<TransactionRules, 'wire' | 'clock'>,
  gone: () => void,
): OpenServer => {
  const isInvite = request.method === 'INVITE';
  let last: Uint8Array | null = null;
  let finals = 0;
  let outcome: boolean | null = null;
  let told: (came: boolean) => void = nothing;
  let stopRepeating: () => void = nothing;
  let stopWaiting: () => void = nothing;
  const send = (): void => {
    if (!last) return;
    if (finals > 0) finals += 1;
    wire.send(last);
  };
  const settle = (came: boolean): void => {
    if (outcome !== null) return;
    outcome = came;
    stopRepeating();
    told(came);
  };
  const stop = (): void => {
    stopRepeating();
    stopWaiting();
    gone();
  };
  return {
    request,
    get answers() {
      return finals;
    },
    answer: (bytes, status) => {
      if (finals > 0) return;
      last = bytes;
      if (status < 200) {
        wire.send(bytes);
        return;
      }
      finals = 1;
      wire.send(bytes);
      stopWaiting = clock.after(isInvite || !wire.isReliable ? GIVE_UP_MS : 0, () => {
        if (isInvite) settle(false);
        stop();
      });
      // A 2xx is sent again over reliable transports as well, because its ACK is end to end (§13.3.1.4).
      if (isInvite && (!wire.isReliable || status < 300)) stopRepeating = repeating(clock, T2_MS, send);
    },
    onAcknowledged: (tell) => {
      told = tell;
      if (outcome !== null) tell(outcome);
    },
    again: () => {
      // A 2xx goes out by its own timer, and what was acknowledged needs no answer any more.
      if (outcome === null) send();
    },
    acknowledged: () => {
      if (finals > 0) settle(true);
    },
    stop,
  };
};

/** Of a request: the same for each repetition, and another for each other request (§17.2.3). */
const serverKey = ({ essentials: { via, cseq, callId } }: SipRequest): string =>
  `${via.branch} ${via.host}:${via.port} ${callId} ${cseq.sequence} ${cseq.method}`;

/** Of an INVITE and the ACK of its 2xx, which is a transaction of its own (§13.2.2.4), and of a refusal's as well. */
const inviteKey = ({ essentials: { callId, fromTag, cseq } }: SipRequest): string =>
  `${callId} ${fromTag} ${cseq.sequence}`;

export const createTransactions = (rules: TransactionRules): Transactions => {
  const clients = new Map<string, OpenClient>();
  const servers = new Map<string, OpenServer>();
  const invites = new Map<string, OpenServer>();
  let isClosed = false;
  const clientKey = (branch: string | null, method: string): string => `${branch} ${method}`;

  const hearRequest = (request: SipRequest): void => {
    if (request.method === 'ACK') {
      invites.get(inviteKey(request))?.acknowledged();
      return;
    }
    const key = serverKey(request);
    const known = servers.get(key);
    if (known) return void known.again();
    if (servers.size >= MAX_SERVERS) return;
    const server = createServer(request, rules, () => {
      servers.delete(key);
      if (invites.get(inviteKey(request)) === server) invites.delete(inviteKey(request));
    });
    servers.set(key, server);
    if (request.method === 'INVITE') invites.set(inviteKey(request), server);
    rules.asked(request, server);
  };

  return {
    begin: (bytes, events) => {
      const parsed = parseSip(bytes);
      if (!parsed.ok || parsed.value.kind !== 'request') throw new Error('begins with a request');
      if (isClosed) {
        // After its caller has what is returned here.
        queueMicrotask(() => events.silent());
        return { sentAtMs: [], stop: nothing };
      }
      const request = parsed.value;
      const key = clientKey(request.essentials.via.branch, request.method);
      const client = createClient(bytes, request, rules, events, () => clients.delete(key));
      clients.set(key, client);
      return client;
    },
    hear: (message) => {
      if (isClosed) return;
      if (message.kind === 'request') return void hearRequest(message);
      const { via, cseq, callId, fromTag } = message.essentials;
      const client = clients.get(clientKey(via.branch, cseq.method));
      if (!client) return;
      const sent = client.request.essentials;
      // Strangers may send anything; these a server copies (§8.2.6.2).
      if (sent.callId === callId && sent.fromTag === fromTag && sent.cseq.sequence === cseq.sequence)
        client.hear(message);
    },
    close: () => {
      isClosed = true;
      for (const one of clients.values()) one.giveUp();
      for (const one of servers.values()) one.stop();
    },
  };
};

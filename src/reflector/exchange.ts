/** One request as the reflector sees it, and the sealing of its answer. Responders get this and no socket. */

import { encodeCallAnswer, readCallQuery } from '../wire/call.js';
import { encodeEvidencePiece, readCaptureQuery } from '../wire/capture.js';
import { type Deferral, encodeDeferral, readDeferral } from '../wire/deferral.js';
import { echoAnswerBody } from '../wire/echo.js';
import { encodeInboundState, readInboundQuery } from '../wire/inbound.js';
import { roomForInfo } from '../wire/info.js';
import { NOTHING, zeroed } from '../wire/octets.js';
import { encodeReceipts, type Receipt, readReceiptsQuery } from '../wire/receipts.js';
import { ANSWER_TO, digestOf } from '../wire/tag.js';
import type { Surroundings } from './alternates.js';
import type { Admission, Authority } from './authority.js';
import type { Calls } from './calls.js';
import type { EvidenceBook } from './captures.js';
import type { Inbound } from './inbound.js';
import { ownerOf } from './quotas.js';
import type { RequestName, Sessions } from './sessions.js';

/** What a responder may know of a request besides its bytes. */
export interface Arrival {
  /** 16 bytes, IPv4 mapped. */
  readonly sourceBytes: Uint8Array;
  /** Text, IPv4 unmapped. */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly localPort: number;
  /** Of ours the address to which a connection came, IPv4 unmapped; null for datagrams. */
  readonly localAddress: string | null;
  readonly receivedAtMicros: bigint;
  /** The TLS exporter's output, or null. */
  readonly binding: Uint8Array | null;
  /** What the socket is called and what stands beside it; null on connections, which answer from where they are. */
  readonly surroundings: Surroundings | null;
  /** A process of the reflector did not tell in time what it saw; of what is not known here nothing is said then. */
  readonly isPartlyBlind?: boolean;
}

/** What the reflector says of itself, and what it keeps. */
export interface Host {
  readonly authority: Authority;
  readonly nowMicros: () => bigint;
  readonly keepalives: (address: string, port: number) => number;
  /**
   * What it says of itself to whoever asks from this address, the body of an info answer of at most `room` bytes.
   * @param isPartlyBlind a process of it did not tell in time what it saw
   */
  readonly info: (asker: string, room: number, isPartlyBlind: boolean) => Uint8Array;
  readonly sessions: Sessions;
  readonly evidence: EvidenceBook;
  /** Connections and deferred answers lately refused to the prefix of an address, because there were too many. */
  readonly refused: (source: Uint8Array) => number;
  readonly version: string;
  /** Tries ports of agents from outside; null or left out where the operator does not allow it. */
  readonly inbound?: Inbound | null;
  /** The other end of agents' calls; null or left out where this reflector makes none. */
  readonly calls?: Pick<Calls, 'answer' | 'hearConnection'> | null;
}

/** How an answer goes out if not at once, to where the request came from, and from where it was asked. */
export interface Delivery extends Deferral {
  /** Another port of the asking address (RFC 5780 §7.5), or null. */
  readonly toPort: number | null;
  /** Whose token asked for it; absent for strangers. */
  readonly owner?: string;
}

export interface Answer {
  readonly bytes: Uint8Array;
  /** The request carried a valid tag: who sent it is no stranger. */
  readonly proven: boolean;
  /** The one answer that may be larger than its request: the smallest Binding response (docs/protocol.md). */
  readonly exempt?: boolean;
  readonly delivery?: Delivery | undefined;
  /** It tells what all processes of the reflector saw. */
  readonly consults?: boolean;
  /** Which request of a session it answers, should it not be given after all; none of strangers. */
  readonly of?: RequestName | undefined;
}

export type Responder = (message: Uint8Array, arrival: Arrival, host: Host) => Answer | null;

/** An answer tag, and how the request wanted to be answered. */
interface Sealed {
  readonly bytes: Uint8Array;
  /** The session that asked, and which of its requests it was. */
  readonly of: RequestName;
  readonly delivery?: Delivery | undefined;
  readonly consults: boolean;
}

type Admitted = Extract<Admission, { kind: 'admitted' }>;

const AT_ONCE: Deferral = { afterMs: 0, changeIp: false, changePort: false };

/** What of a deferral can be done here. Where there is no other socket the answer comes at once and says so. */
const possible = (wanted: Deferral, surroundings: Surroundings | null): Deferral => {
  const changes = wanted.changeIp || wanted.changePort;
  return !changes || surroundings?.change(wanted.changeIp, wanted.changePort) ? wanted : AT_ONCE;
};

/** No answer of an attempt has a request behind it at the port where it arrives: what it attests is the port alone. */
const UNASKED = { turnaroundMicros: 0, receivedLength: 0, keepalives: 0, heldBack: 0, body: NOTHING } as const;

/** What became of an attempt that was asked for here, or that it was not allowed. */
const inboundBody = (admission: Admitted, arrival: Arrival, host: Host): Uint8Array | null => {
  const query = readInboundQuery(admission.request.body);
  if (!query) return null;
  const { sourceBytes, sourceAddress, sourcePort, localAddress, receivedAtMicros, surroundings } = arrival;
  const knock = (port: number, binding: Uint8Array | null): Uint8Array =>
    admission.answer(
      {
        ...UNASKED,
        type: 'inboundKnock',
        receivedAtMicros,
        arrivalPort: port,
        seenPort: sourcePort,
        seenAddress: sourceBytes,
        digest: NOTHING,
      },
      binding,
    );
  const { name } = admission;
  // Only what came in datagrams has other sockets to answer from.
  const overConnection = surroundings === null;
  const state = host.inbound?.answer(query, { name, sourceBytes, sourceAddress, localAddress, overConnection, knock });
  return encodeInboundState(state ?? 'not-offered');
};

/** What became of a request about calls. */
const callBody = (admission: Admitted, arrival: Arrival, host: Host): Uint8Array | null => {
  const { name, identity, request } = admission;
  const query = readCallQuery(request.body);
  if (!query) return null;
  const { sourceBytes, sourceAddress, surroundings } = arrival;
  // Only what came in datagrams has other sockets to answer from.
  const asker = { name, identity, sourceBytes, sourceAddress, overConnection: surroundings === null };
  const { state, whole } = host.calls?.answer(query, asker) ?? { state: 'not-offered', whole: null };
  return encodeCallAnswer(state, whole, query.offset, request.body.length);
};

/** The answer's body; null for a request that cannot be answered. */
const bodyFor = (admission: Admitted, deferral: Deferral | null, arrival: Arrival, host: Host): Uint8Array | null => {
  const {
    name,
    request: { type, body },
  } = admission;
  const { isPartlyBlind = false, sourceAddress } = arrival;
  switch (type) {
    case 'echoRequest':
      return echoAnswerBody(body);
    case 'infoRequest':
      return host.info(sourceAddress, roomForInfo(body.length), isPartlyBlind);
    case 'receiptsRequest': {
      const query = readReceiptsQuery(body);
      const told: Receipt[] = [];
      for (const sequence of query.sequences) {
        const receipt = host.sessions.receipt(name, sequence);
        // What is forgotten, or was perhaps seen elsewhere, ends the list: "never arrived" would be a false witness.
        if (receipt === null || (receipt.arrived === 0 && isPartlyBlind)) break;
        told.push(receipt);
      }
      return encodeReceipts(told, query);
    }
    case 'captureRequest': {
      const query = readCaptureQuery(body);
      const whole = query && host.evidence.find(name, query.sequence, query.side);
      return encodeEvidencePiece(whole, query ?? { offset: 0, isTurned: false }, body.length);
    }
    case 'deferredRequest':
      return deferral && encodeDeferral(deferral);
    case 'inboundRequest':
      return inboundBody(admission, arrival, host);
    case 'callRequest':
      return callBody(admission, arrival, host);
  }
};

/** The answer tag to an admitted request that came inside `message`; null for a replay, and for what is held back. */
export const sealAnswer = (admission: Admitted, message: Uint8Array, arrival: Arrival, host: Host): Sealed | null => {
  const { name, request } = admission;
  const { type, sequence, sentAtMicros } = request;
  const { sourceBytes: source, receivedAtMicros } = arrival;
  const isBound = arrival.binding !== null;
  const asksBack = type === 'receiptsRequest' || type === 'captureRequest';
  const arrived = { name, sequence, source, sentAtMicros, receivedAtMicros, isBound, asksBack };
  if (host.sessions.arrive(arrived) !== 'welcome') return null;
  const wanted = type === 'deferredRequest' ? readDeferral(request.body) : null;
  const deferral = wanted && possible(wanted, arrival.surroundings);
  const body = bodyFor(admission, deferral, arrival, host);
  if (!body) return null;
  const turnaround = Number(host.nowMicros() - receivedAtMicros) + 1000 * (deferral?.afterMs ?? 0);
  const bytes = admission.answer({
    type: ANSWER_TO[type],
    receivedAtMicros,
    turnaroundMicros: Math.max(0, turnaround),
    arrivalPort: arrival.localPort,
    seenPort: arrival.sourcePort,
    seenAddress: source,
    digest: digestOf(message),
    receivedLength: message.length,
    keepalives: host.keepalives(arrival.sourceAddress, arrival.sourcePort),
    heldBack: host.sessions.heldBack(name) + host.refused(source),
    body,
  });
  return {
    bytes,
    of: { name, sequence },
    delivery: deferral ? { ...deferral, toPort: deferral.toPort ?? null, owner: ownerOf(name) } : undefined,
    consults: type === 'receiptsRequest' || type === 'infoRequest',
  };
};

/** RTCP's APP blocks and RFC 3489's attributes consist of them. */
const WORD_BYTES = 4;

/** What follows a tag's stated length is padding (`readTag`). */
const inWords = (tag: Uint8Array): Uint8Array => {
  const whole = zeroed(Math.ceil(tag.length / WORD_BYTES) * WORD_BYTES);
  whole.set(tag);
  return whole;
};

/** The answer tag for the tag found in a message, in whole words, or null for strangers and replays. */
export const answerTag = (tag: Uint8Array | null, message: Uint8Array, arrival: Arrival, host: Host): Sealed | null => {
  const admission = tag && host.authority.admit(tag, arrival.binding);
  const sealed = admission?.kind === 'admitted' ? sealAnswer(admission, message, arrival, host) : null;
  return sealed && { ...sealed, bytes: inWords(sealed.bytes) };
};

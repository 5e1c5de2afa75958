/** One request as the reflector sees it, and the sealing of its answer. Responders get this and no socket. */
import { encodeReceipts, readReceiptsQuery } from '../wire/receipts.js';
import { ANSWER_TO, digestOf, type RequestTag } from '../wire/tag.js';
import type { Admission, Authority } from './authority.js';
import type { Receipts } from './receipts.js';

/** What a responder may know of a request besides its bytes. */
export interface Arrival {
  /** 16 bytes, IPv4 mapped. */
  readonly sourceBytes: Uint8Array;
  /** Text, IPv4 unmapped. */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly localPort: number;
  readonly receivedAtMicros: bigint;
  /** The TLS exporter's output, or null. */
  readonly binding: Uint8Array | null;
}

/** What the reflector says of itself, and what it keeps. */
export interface Host {
  readonly authority: Authority;
  readonly nowMicros: () => bigint;
  readonly keepalives: (address: string, port: number) => number;
  readonly info: () => Uint8Array;
  readonly receipts: Receipts;
  /** Datagrams lately dropped on this host before they were read. */
  readonly overruns?: () => number;
  /** Connections lately refused to the prefix of an address, because there were too many. */
  readonly refused?: (source: Uint8Array) => number;
  readonly version: string;
}

export interface Answer {
  readonly bytes: Uint8Array;
  /** The request carried a valid tag: who sent it is no stranger. */
  readonly proven: boolean;
  /** The one answer that may be larger than its request: the smallest Binding response (docs/protocol.md). */
  readonly exempt?: boolean;
}

export type Responder = (message: Uint8Array, arrival: Arrival, host: Host) => Answer | null;

const bodyFor = ({ type, session, body }: RequestTag, host: Host): Uint8Array => {
  switch (type) {
    case 'echoRequest':
      return new Uint8Array(0);
    case 'infoRequest':
      return host.info();
    case 'receiptsRequest':
      return encodeReceipts(readReceiptsQuery(body).map((sequence) => host.receipts.count(session, sequence)));
  }
};

/**
 * A request arrives more than once where its protocol retransmits it, SIP's eleven times (RFC 3261 §17.1.2.2), and where
 * the path doubles packets. What arrives more often than both explain was captured, and is sent to hit somebody.
 */
const MAX_ARRIVALS = 32;

/** The answer tag to an admitted request that came inside `message`, or null for a replay. */
export const sealAnswer = (
  admission: Extract<Admission, { kind: 'admitted' }>,
  message: Uint8Array,
  arrival: Arrival,
  host: Host,
): Uint8Array | null => {
  const { type, session, sequence } = admission.request;
  host.receipts.saw(session, sequence);
  if (host.receipts.count(session, sequence) > MAX_ARRIVALS) return null;
  return admission.answer({
    type: ANSWER_TO[type],
    receivedAtMicros: arrival.receivedAtMicros,
    turnaroundMicros: Math.max(0, Number(host.nowMicros() - arrival.receivedAtMicros)),
    arrivalPort: arrival.localPort,
    seenPort: arrival.sourcePort,
    seenAddress: arrival.sourceBytes,
    digest: digestOf(message),
    receivedLength: message.length,
    keepalives: host.keepalives(arrival.sourceAddress, arrival.sourcePort),
    heldBack: (host.overruns?.() ?? 0) + (host.refused?.(arrival.sourceBytes) ?? 0),
    body: bodyFor(admission.request, host),
  });
};

/** RTCP's APP blocks and RFC 3489's attributes consist of them. */
const WORD_BYTES = 4;

/** What follows a tag's stated length is padding (`readTag`). */
const inWords = (tag: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(Math.ceil(tag.length / WORD_BYTES) * WORD_BYTES);
  whole.set(tag);
  return whole;
};

/** The answer tag for the tag found in a message, in whole words, or null for strangers and replays. */
export const answerTag = (
  tag: Uint8Array | null,
  message: Uint8Array,
  arrival: Arrival,
  host: Host,
): Uint8Array | null => {
  const admission = tag && host.authority.admit(tag, arrival.binding);
  const sealed = admission?.kind === 'admitted' ? sealAnswer(admission, message, arrival, host) : null;
  return sealed && inWords(sealed);
};

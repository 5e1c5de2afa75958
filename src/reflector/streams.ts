/** One TCP or TLS connection: messages of any of our protocols, told apart by their first bytes, answered in turn. */
import { dnsStream, frameDnsTcp } from '../wire/dns-stream.js';
import { headBytes } from '../wire/http.js';
import { looksLikeSip } from '../wire/sip-demux.js';
import type { SipMessage } from '../wire/sip-message.js';
import { sipStream } from '../wire/sip-stream.js';
import { looksLikeTag, MAX_TAG_BYTES } from '../wire/tag.js';
import type { Answer, Arrival, Host } from './exchange.js';
import { ownerOf } from './quotas.js';
import { answerBare } from './responders/bare.js';
import { answerDns } from './responders/dns.js';
import { answerHttp } from './responders/http.js';
import { answerSipRequest } from './responders/sip.js';
import type { RequestName } from './sessions.js';

/** What to send, after how long, and whether to hang up after all of it. */
export interface Step {
  readonly send: readonly Outgoing[];
  readonly close: boolean;
  /** It hangs up because too much came at once, which is told to whom it happens. */
  readonly excess?: boolean;
  /** A message of it belongs to a call: it stays open as long as one may rest, and what the far end says goes over it. */
  readonly inCall?: boolean;
}
interface Outgoing {
  readonly proven: boolean;
  readonly bytes: Uint8Array;
  readonly afterMs: number;
  /** Which request of a session it answers; none of strangers. */
  readonly of?: RequestName | undefined;
  /** Makes the answer anew once the other processes have told what they saw; null where that adds nothing. */
  readonly informed: ((haveAllTold: boolean) => Uint8Array | null) | null;
}

/** The conversation of one connection: bytes in, bytes out, no socket. */
export interface Conversation {
  push(chunk: Uint8Array, arrival: Arrival): Step;
  /** Whose token it has shown; null for a stranger. */
  owner(): string | null;
}

/** Heads of HTTP requests and tags are shorter; who sends more without finishing one is cut off. */
const MAX_BUFFERED = 16_384;
/** Enough to recognise any start line that we answer. */
const MIN_DEMUX_BYTES = 4;
/** A query that carries a tag and its padding is shorter (RFC 1035 §4.2.2 would allow 65,535). */
const MAX_DNS_QUERY = 1024;
const PONG = Buffer.from('\r\n');
/**
 * What one read may hold: more messages than any client sends before it has an answer. A read is looked into by pieces, so that
 * one that is full of them costs little more than a piece.
 */
const MAX_PER_READ = 16;
const PIECE_BYTES = 2048;

type Framer = (chunk: Uint8Array, arrival: Arrival) => Step;

export const HANG_UP: Step = { send: [], close: true };
const WAIT: Step = { send: [], close: false };

/** To a session a request that is answered anew is a retransmission. */
const outgoing = (respond: (arrival: Arrival) => Answer | null, arrival: Arrival): readonly Outgoing[] => {
  const answer = respond(arrival);
  if (!answer) return [];
  const { bytes, delivery, proven, consults, of } = answer;
  const informed = (haveAllTold: boolean): Uint8Array | null =>
    respond({ ...arrival, isPartlyBlind: !haveAllTold })?.bytes ?? null;
  return [{ bytes, afterMs: delivery?.afterMs ?? 0, proven, informed: consults ? informed : null, of }];
};

/** What the pieces of a read complete, in order: a refusal, or one item more than is taken, is the last. */
const itemsOf = <T extends { readonly kind: string }>(
  stream: { readonly push: (chunk: Uint8Array) => readonly T[] },
  chunk: Uint8Array,
): { readonly items: readonly T[]; readonly excess: boolean } => {
  const items: T[] = [];
  for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
    items.push(...stream.push(chunk.subarray(at, at + PIECE_BYTES)));
    if (items.length > MAX_PER_READ) return { items: items.slice(0, MAX_PER_READ), excess: true };
  }
  return { items, excess: false };
};

/** What a conversation does besides answering. */
interface Side {
  /** Sends what nobody asked for just now. */
  readonly write: (bytes: Uint8Array) => void;
  /** The connection belongs to a call in a window that this token opened. */
  readonly inCall: (owner: string) => void;
}

/** Whether a message belongs to a call, which then has it. */
const isOfCall = (
  { message, bytes }: { readonly message: SipMessage; readonly bytes: Uint8Array },
  { sourceAddress, sourcePort, localPort, localAddress, binding }: Arrival,
  host: Host,
  { write, inCall }: Side,
): boolean => {
  const owner = host.calls?.hearConnection(bytes, message, {
    ...{ transport: binding ? 'TLS' : 'TCP', from: { address: sourceAddress, port: sourcePort } },
    ...{ port: localPort, localAddress, send: write },
  });
  if (owner == null) return false;
  inCall(owner);
  return true;
};

/** SIP stays open, because phones keep their connection; a message that cannot be framed ends it. */
const sipFramer = (host: Host, side: Side): Framer => {
  const stream = sipStream();
  return (chunk, arrival) => {
    const send: Outgoing[] = [];
    const { items, excess } = itemsOf(stream, chunk);
    let pongs = 0;
    let inCall = false;
    for (const item of items) {
      if (item.kind === 'refusal') return { send, close: true };
      if (item.kind === 'ping') {
        const last = send.at(-1);
        // Pongs in a row go out as one.
        if (pongs > 0 && last) send[send.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, PONG]) };
        else send.push({ bytes: PONG, afterMs: 0, proven: false, informed: null });
        pongs += 1;
      } else if (isOfCall(item, arrival, host, side)) {
        inCall = true;
        pongs = 0;
      } else if (item.message.kind === 'request') {
        const { message, bytes } = item;
        pongs = 0;
        send.push(...outgoing((from) => answerSipRequest(message, bytes, from, host), arrival));
      }
    }
    return { send, close: excess, excess, inCall };
  };
};

const framedDns = (answer: Answer | null): Answer | null => answer && { ...answer, bytes: frameDnsTcp(answer.bytes) };

const dnsFramer = (host: Host): Framer => {
  const stream = dnsStream(MAX_DNS_QUERY);
  return (chunk, arrival) => {
    const send: Outgoing[] = [];
    const { items, excess } = itemsOf(stream, chunk);
    for (const item of items) {
      if (item.kind === 'refusal') return { send, close: true };
      send.push(...outgoing((from) => framedDns(answerDns(item.bytes, from, host)), arrival));
    }
    return { send, close: excess, excess };
  };
};

/** Gathers bytes until `sizeOf` knows the message's length; one message, one answer, and the connection is over. */
const single = (
  sizeOf: (bytes: Buffer) => number | null,
  respond: (message: Uint8Array, arrival: Arrival) => Answer | null,
): Framer => {
  let held = Buffer.alloc(0);
  return (chunk, arrival) => {
    held = Buffer.concat([held, chunk]);
    const size = sizeOf(held);
    if (size === null || held.length < size) return held.length > MAX_BUFFERED ? HANG_UP : WAIT;
    const message = held.subarray(0, size);
    return { send: outgoing((from) => respond(message, from), arrival), close: true };
  };
};

/** Magic, version, type and length: the first six bytes of a tag tell how long it is. */
const TAG_LENGTH_AT = 4;
const tagSize = (bytes: Buffer): number | null =>
  bytes.length < TAG_LENGTH_AT + 2 ? null : Math.min(bytes.readUInt16BE(TAG_LENGTH_AT), MAX_TAG_BYTES);

/** DNS over TCP begins with a length, which for a query that we take is below 1024: no letter is that small. */
const looksLikeFramedDns = (bytes: Uint8Array): boolean => (bytes[0] ?? 0xff) < MAX_DNS_QUERY >> 8;

const chooseFramer = (bytes: Uint8Array, host: Host, side: Side): Framer | null => {
  if (looksLikeTag(bytes)) return single(tagSize, (message, arrival) => answerBare(message, arrival, host));
  if (looksLikeFramedDns(bytes)) return dnsFramer(host);
  if (looksLikeSip(bytes)) return sipFramer(host, side);
  // RFC 5626 §3.5.1: a keepalive may come before the first request.
  if (bytes[0] === PONG[0]) return sipFramer(host, side);
  return null;
};

const END_OF_LINE = 0x0a;

/**
 * A fresh conversation, which finds out the protocol from the first line or bytes that arrive.
 * @param write sends what is no answer, while the connection stands
 */
export const createConversation = (
  everyones: Host,
  write: (bytes: Uint8Array) => void = () => undefined,
): Conversation => {
  let owner: string | null = null;
  const { authority } = everyones;
  const admit: typeof authority.admit = (bytes, binding) => {
    const admission = authority.admit(bytes, binding);
    if (admission.kind === 'admitted') owner = ownerOf(admission.name);
    return admission;
  };
  const host: Host = { ...everyones, authority: { ...authority, admit } };
  const side: Side = {
    write,
    inCall: (whose) => {
      owner = whose;
    },
  };
  let framer: Framer | null = null;
  let held = Buffer.alloc(0);
  let over = false;
  const next = (chunk: Uint8Array, arrival: Arrival): Step => {
    if (framer) return framer(chunk, arrival);
    held = Buffer.concat([held, chunk]);
    if (held.length < MIN_DEMUX_BYTES) return WAIT;
    framer = chooseFramer(held, host, side);
    // SIP and HTTP differ at the end of their first line only.
    if (!framer && !held.includes(END_OF_LINE)) return held.length > MAX_BUFFERED ? HANG_UP : WAIT;
    framer ??= single(
      (bytes) => headBytes(bytes)?.length ?? null,
      (message, from) => answerHttp(message, from, host),
    );
    const first = held;
    held = Buffer.alloc(0);
    return framer(first, arrival);
  };
  return {
    push: (chunk, arrival) => {
      // Whoever still sends, for instance the body of a request whose head was answered, has not seen the end yet.
      if (over) return HANG_UP;
      const step = next(chunk, arrival);
      over = step.close;
      return step;
    },
    owner: () => owner,
  };
};

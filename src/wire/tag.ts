/**
 * The echo tag: what agent and reflector put inside every protocol that they speak, so that an answer proves who gave
 * it, what had arrived, where and when. Layout and rules are docs/protocol.md's; all integers are big-endian.
 *
 *      0 magic 0xCA11   2 version   3 type   4 length (whole tag with its MAC)   6 reserved
 *      8 key id        12 session id (8)    20 sequence
 *     request: 24 sent at, µs since 1970 (8)   32 body …                                     MAC (16)
 *     answer:  24 received at, µs (8)   32 turnaround, µs (4)   36 arrival port   38 seen port
 *              40 seen address (16)     56 digest (16)          72 received length (4)
 *              76 keepalives            78 reserved             80 held back (4)   84 body …  MAC (16)
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { isHmacSha256, sha256Bytes, writeHmacSha256 } from './hash.js';
import { zeroed } from './octets.js';

/** First byte 0xCA lies above all that RFC 7983 §7 assigns, so a bare tag is never taken for STUN, DTLS or RTP. */
export const TAG_MAGIC = 0xca11;
const TAG_VERSION = 1;

export const TAG_TYPES = {
  echoRequest: 1,
  echoAnswer: 2,
  infoRequest: 3,
  infoAnswer: 4,
  refusal: 5,
  receiptsRequest: 6,
  receiptsAnswer: 7,
  captureRequest: 8,
  captureAnswer: 9,
  deferredRequest: 10,
  deferredAnswer: 11,
  inboundRequest: 12,
  inboundAnswer: 13,
  inboundKnock: 14,
  callRequest: 15,
  callAnswer: 16,
} as const;
type TagType = keyof typeof TAG_TYPES;
export type RequestType =
  | 'echoRequest'
  | 'infoRequest'
  | 'receiptsRequest'
  | 'captureRequest'
  | 'deferredRequest'
  | 'inboundRequest'
  | 'callRequest';
export type AnswerType =
  | 'echoAnswer'
  | 'infoAnswer'
  | 'receiptsAnswer'
  | 'captureAnswer'
  | 'deferredAnswer'
  | 'inboundAnswer'
  /** What the reflector sends of itself to a port that was named to it; of the form of an answer. */
  | 'inboundKnock'
  | 'callAnswer';

/** Which answer belongs to which request. */
export const ANSWER_TO = {
  echoRequest: 'echoAnswer',
  infoRequest: 'infoAnswer',
  receiptsRequest: 'receiptsAnswer',
  captureRequest: 'captureAnswer',
  deferredRequest: 'deferredAnswer',
  inboundRequest: 'inboundAnswer',
  callRequest: 'callAnswer',
} as const satisfies Record<RequestType, AnswerType>;

const REQUEST_TYPES: ReadonlyMap<number, RequestType> = new Map([
  [TAG_TYPES.echoRequest, 'echoRequest'],
  [TAG_TYPES.infoRequest, 'infoRequest'],
  [TAG_TYPES.receiptsRequest, 'receiptsRequest'],
  [TAG_TYPES.captureRequest, 'captureRequest'],
  [TAG_TYPES.deferredRequest, 'deferredRequest'],
  [TAG_TYPES.inboundRequest, 'inboundRequest'],
  [TAG_TYPES.callRequest, 'callRequest'],
]);
const ANSWER_TYPES: ReadonlyMap<number, AnswerType> = new Map([
  [TAG_TYPES.echoAnswer, 'echoAnswer'],
  [TAG_TYPES.infoAnswer, 'infoAnswer'],
  [TAG_TYPES.receiptsAnswer, 'receiptsAnswer'],
  [TAG_TYPES.captureAnswer, 'captureAnswer'],
  [TAG_TYPES.deferredAnswer, 'deferredAnswer'],
  [TAG_TYPES.inboundAnswer, 'inboundAnswer'],
  [TAG_TYPES.inboundKnock, 'inboundKnock'],
  [TAG_TYPES.callAnswer, 'callAnswer'],
]);

/** HMAC-SHA256 cut to 128 bits (RFC 2104 §5 allows half of the hash's length). */
const MAC_BYTES = 16;
/** SHA-256 cut to 128 bits: nobody in between can choose both messages, so second preimages are what counts. */
const DIGEST_BYTES = 16;
const COMMON_BYTES = 24;
const REQUEST_FIXED = 32;
const ANSWER_FIXED = 84;

export const REQUEST_TAG_BYTES = REQUEST_FIXED + MAC_BYTES;
export const ANSWER_TAG_BYTES = ANSWER_FIXED + MAC_BYTES;
/** How long an answer's body may be, in bytes, for a request with such a body: the request has paid for it. Negative for none. */
export const answerRoom = (requestBodyBytes: number): number => requestBodyBytes + REQUEST_TAG_BYTES - ANSWER_TAG_BYTES;
/** A refusal carries no MAC, because who sends it shares no key with us: it is a hint and proves nothing. */
export const REFUSAL_TAG_BYTES = COMMON_BYTES + 4;
/** Above any Ethernet payload; a longer tag could only come in fragments, which is what a tag must survive without. */
export const MAX_TAG_BYTES = 1400;

export const TAG_REFUSALS = ['not-a-tag', 'version', 'type', 'length', 'truncated'] as const;
export type TagRefusal = (typeof TAG_REFUSALS)[number];

export const REFUSED_BECAUSE = { unknownKey: 1, version: 2, clock: 3 } as const;

interface Common {
  readonly keyId: number;
  readonly session: Uint8Array;
  readonly sequence: number;
}

export interface RequestTag extends Common {
  readonly type: RequestType;
  readonly sentAtMicros: bigint;
  readonly body: Uint8Array;
}

export interface AnswerTag extends Common {
  readonly type: AnswerType;
  readonly receivedAtMicros: bigint;
  readonly turnaroundMicros: number;
  readonly arrivalPort: number;
  readonly seenPort: number;
  /** 16 bytes; IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). */
  readonly seenAddress: Uint8Array;
  readonly digest: Uint8Array;
  readonly receivedLength: number;
  readonly keepalives: number;
  readonly heldBack: number;
  readonly body: Uint8Array;
}

interface RefusalTag extends Common {
  readonly type: 'refusal';
  readonly because: number;
}

type Tag = RequestTag | AnswerTag | RefusalTag;

/** A tag as read, not yet believed: `verifyTag` decides. */
export interface ReadTag<T extends Tag = Tag> {
  readonly tag: T;
  readonly length: number;
  readonly signed: Uint8Array;
  readonly mac: Uint8Array;
}

/** What is left of a message as its far end saw it: enough to tell whether it was changed. */
export const digestOf = (message: Uint8Array): Uint8Array => sha256Bytes(message, DIGEST_BYTES);

const writeCommon = (bytes: Buffer, type: TagType, common: Common): void => {
  bytes.writeUInt16BE(TAG_MAGIC, 0);
  bytes.writeUInt8(TAG_VERSION, 2);
  bytes.writeUInt8(TAG_TYPES[type], 3);
  bytes.writeUInt16BE(bytes.length, 4);
  bytes.writeUInt32BE(common.keyId, 8);
  bytes.set(common.session.subarray(0, 8), 12);
  bytes.writeUInt32BE(common.sequence, 20);
};

/**
 * `binding` ties the tag to the channel that it travels in: the TLS exporter's output (RFC 5705), which a man in the
 * middle does not share, or nothing on other transports.
 */
const seal = (bytes: Buffer, key: Uint8Array, binding: Uint8Array | null): Uint8Array => {
  const end = bytes.length - MAC_BYTES;
  writeHmacSha256(bytes, end, MAC_BYTES, { message: bytes.subarray(0, end), more: binding, key });
  return bytes;
};

/** Encodes and authenticates a request under the key of the direction agent → reflector. */
export const encodeRequestTag = (tag: RequestTag, key: Uint8Array, binding: Uint8Array | null): Uint8Array => {
  const bytes = zeroed(REQUEST_TAG_BYTES + tag.body.length);
  writeCommon(bytes, tag.type, tag);
  bytes.writeBigUInt64BE(tag.sentAtMicros, 24);
  bytes.set(tag.body, REQUEST_FIXED);
  return seal(bytes, key, binding);
};

/** Encodes and authenticates the answer to a request under the key of the direction reflector → agent. */
export const encodeAnswerTo = (
  to: Common,
  tag: Omit<AnswerTag, keyof Common>,
  key: Uint8Array,
  binding: Uint8Array | null,
): Uint8Array => {
  const bytes = zeroed(ANSWER_TAG_BYTES + tag.body.length);
  writeCommon(bytes, tag.type, to);
  bytes.writeBigUInt64BE(tag.receivedAtMicros, 24);
  bytes.writeUInt32BE(tag.turnaroundMicros, 32);
  bytes.writeUInt16BE(tag.arrivalPort, 36);
  bytes.writeUInt16BE(tag.seenPort, 38);
  bytes.set(tag.seenAddress.subarray(0, 16), 40);
  bytes.set(tag.digest.subarray(0, DIGEST_BYTES), 56);
  bytes.writeUInt32BE(tag.receivedLength, 72);
  bytes.writeUInt16BE(tag.keepalives, 76);
  bytes.writeUInt32BE(tag.heldBack, 80);
  bytes.set(tag.body, ANSWER_FIXED);
  return seal(bytes, key, binding);
};

/** Encodes the hint that a request was not accepted, smaller than any request that draws it. */
export const encodeRefusalTag = (to: Common, because: number): Uint8Array => {
  const bytes = zeroed(REFUSAL_TAG_BYTES);
  writeCommon(bytes, 'refusal', to);
  bytes.writeUInt32BE(because, COMMON_BYTES);
  return bytes;
};

/**
 * Reads the tag at the start of `input`; what follows its stated length is padding. Never throws. The result is
 * hearsay until `verifyTag` accepts it. A tag longer than the fields known here comes from a later minor version:
 * what is unknown is covered by the MAC and ignored.
 */
export const readTag = (input: Uint8Array): Parsed<ReadTag, TagRefusal> => {
  const all = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (all.length < 2 || all.readUInt16BE(0) !== TAG_MAGIC) return refuse('not-a-tag');
  if (all.length < COMMON_BYTES) return refuse('truncated');
  if (all.readUInt8(2) !== TAG_VERSION) return refuse('version');
  const length = all.readUInt16BE(4);
  if (length > MAX_TAG_BYTES) return refuse('length');
  if (length > all.length) return refuse('truncated');
  const bytes = all.subarray(0, length);
  const type = all.readUInt8(3);
  const signed = bytes.subarray(0, length - MAC_BYTES);
  const mac = bytes.subarray(length - MAC_BYTES);
  const read = (tag: Tag): Parsed<ReadTag, TagRefusal> => accept({ tag, length, signed, mac });
  const keyId = all.readUInt32BE(8);
  const sequence = all.readUInt32BE(20);
  const session = all.subarray(12, 20);
  const requestType = REQUEST_TYPES.get(type);
  if (requestType) {
    if (length < REQUEST_TAG_BYTES) return refuse('length');
    return read({
      keyId,
      session,
      sequence,
      type: requestType,
      sentAtMicros: bytes.readBigUInt64BE(24),
      body: signed.subarray(REQUEST_FIXED),
    });
  }
  const answerType = ANSWER_TYPES.get(type);
  if (answerType) {
    if (length < ANSWER_TAG_BYTES) return refuse('length');
    return read({
      keyId,
      session,
      sequence,
      type: answerType,
      receivedAtMicros: bytes.readBigUInt64BE(24),
      turnaroundMicros: bytes.readUInt32BE(32),
      arrivalPort: bytes.readUInt16BE(36),
      seenPort: bytes.readUInt16BE(38),
      seenAddress: bytes.subarray(40, 56),
      digest: bytes.subarray(56, 72),
      receivedLength: bytes.readUInt32BE(72),
      keepalives: bytes.readUInt16BE(76),
      heldBack: bytes.readUInt32BE(80),
      body: signed.subarray(ANSWER_FIXED),
    });
  }
  if (type !== TAG_TYPES.refusal) return refuse('type');
  if (length < REFUSAL_TAG_BYTES) return refuse('length');
  return read({ keyId, session, sequence, type: 'refusal', because: bytes.readUInt32BE(COMMON_BYTES) });
};

/**
 * The header of a request in another version, which shares its first 24 bytes with ours; null for everything else. Only
 * what asks is told that it was not understood, so that two reflectors of different age never answer each other.
 */
export const foreignVersion = (bytes: Uint8Array): Common | null => {
  if (bytes.length < REQUEST_TAG_BYTES || !looksLikeTag(bytes)) return null;
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (all.readUInt8(2) === TAG_VERSION || !REQUEST_TYPES.has(all.readUInt8(3))) return null;
  return { keyId: all.readUInt32BE(8), session: all.subarray(12, 20), sequence: all.readUInt32BE(20) };
};

/** Whether a tag asks for something. */
export const isRequest = (tag: Tag): tag is RequestTag => 'sentAtMicros' in tag;
/** Whether a tag answers something. */
export const isAnswer = (tag: Tag): tag is AnswerTag => 'receivedAtMicros' in tag;

/** Whether the tag was made by who holds the key, for this channel. Constant-time in the MAC. */
export const verifyTag = (read: ReadTag, key: Uint8Array, binding: Uint8Array | null): boolean =>
  read.tag.type !== 'refusal' &&
  read.mac.length === MAC_BYTES &&
  isHmacSha256(read.mac, { message: read.signed, more: binding, key });

/** Cheap test for demultiplexing: does a datagram or stream start with a tag? */
export const looksLikeTag = (bytes: Uint8Array): boolean =>
  bytes.length >= 2 && bytes[0] === TAG_MAGIC >> 8 && bytes[1] === (TAG_MAGIC & 0xff);

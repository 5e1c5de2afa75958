/**
 * How a STUN message lies on the wire: header, type-length-value attributes, and which of them count. No attribute's
 * value is looked into here, so that integrity can be computed over bytes as they came.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { zeroed } from './octets.js';

/** RFC 8489 §5: type, length, cookie, transaction ID. */
export const STUN_HEADER_BYTES = 20;
/** RFC 8489 §5; an RFC 3489 message has the first of its 16 transaction ID octets here. */
export const MAGIC_COOKIE = 0x2112_a442;
/** Behind type and length. */
export const COOKIE_OFFSET = 4;
/** Type and length in front of every value (RFC 8489 §14). */
export const ATTRIBUTE_HEADER_BYTES = 4;
/** Values are padded to 32-bit boundaries (RFC 8489 §14). */
export const WORD_BYTES = 4;
/** What a UDP datagram can carry over IPv4: 65,535 less 20 of IP and 8 of UDP. */
export const MAX_STUN_BYTES = 65_507;
/** Several times what any usage sends (ICE has eight); a datagram of empty attributes would have 16,371. */
export const MAX_STUN_ATTRIBUTES = 64;

/** `rfc3489` has no cookie and a 128-bit transaction ID; RFC 5389 and RFC 5780 speak as RFC 8489 does. */
const STUN_DIALECTS = ['rfc3489', 'rfc8489'] as const;
export type StunDialect = (typeof STUN_DIALECTS)[number];

/** In the order of the two class bits (RFC 8489 §5). */
const STUN_CLASSES = ['request', 'indication', 'success', 'error'] as const;
export type StunClass = (typeof STUN_CLASSES)[number];

/** The method that everybody answers (RFC 8489 §3). */
export const BINDING = 0x001;
export const MAX_STUN_METHOD = 0xfff;

/** The six message types of RFC 3489 §11.1: without a cookie, anything else is not STUN. */
const RFC3489_TYPES: ReadonlySet<number> = new Set([0x0001, 0x0101, 0x0111, 0x0002, 0x0102, 0x0112]);

/** The attributes that decide which others count. */
export const INTEGRITY_TYPES = { sha1: 0x0008, sha256: 0x001c, fingerprint: 0x8028 } as const;

export const STUN_LAYOUT_REFUSALS = [
  'truncated', // shorter than the header, or than the header says
  'too-long', // more than a datagram can carry
  'not-stun', // the top bits are set, or there is neither a cookie nor a message type of RFC 3489
  'length', // the length is no whole number of words, or the datagram goes on after it
  'attribute-overrun', // an attribute, or its padding, goes past the end
  'too-many-attributes',
  'after-fingerprint', // FINGERPRINT is not last (RFC 8489 §14.7)
] as const;
type StunLayoutRefusal = (typeof STUN_LAYOUT_REFUSALS)[number];

export interface RawAttribute {
  readonly type: number;
  /** Where its header starts in the message. */
  readonly at: number;
  /** Without padding; a view into the datagram. */
  readonly value: Buffer;
}

export interface StunFrame {
  readonly bytes: Buffer;
  readonly dialect: StunDialect;
  readonly class: StunClass;
  /** 0–0xFFF. */
  readonly method: number;
  /** Those that count, in order. */
  readonly attributes: readonly RawAttribute[];
}

/** Octets up to the next 32-bit boundary. */
export const paddingOf = (length: number): number => (WORD_BYTES - (length % WORD_BYTES)) % WORD_BYTES;

/** The 14-bit message type: the class bits stand inside the method's (RFC 8489 §5, figure 3). */
export const messageTypeOf = (method: number, cls: StunClass): number => {
  const bits = STUN_CLASSES.indexOf(cls);
  return (
    ((method & 0xf80) << 2) | ((method & 0x070) << 1) | (method & 0x00f) | ((bits & 0b10) << 7) | ((bits & 0b01) << 4)
  );
};

const methodOf = (type: number): number => ((type & 0x3e00) >> 2) | ((type & 0x00e0) >> 1) | (type & 0x000f);
const classOf = (type: number): StunClass => STUN_CLASSES[((type & 0x0100) >> 7) | ((type & 0x0010) >> 4)] ?? 'request';

/** The dialect of a header, or null if it is no STUN header. `bytes` holds at least a whole one. */
const dialectOf = (bytes: Buffer): StunDialect | null => {
  const type = bytes.readUInt16BE(0);
  if (type >> 14 !== 0) return null;
  if (bytes.readUInt32BE(COOKIE_OFFSET) === MAGIC_COOKIE) return 'rfc8489';
  return RFC3489_TYPES.has(type) ? 'rfc3489' : null;
};

/** Can this type and 16-octet transaction ID be told from an RFC 8489 message, and from what is not STUN? */
export const isRfc3489Header = (type: number, transactionId: Uint8Array): boolean =>
  RFC3489_TYPES.has(type) && Buffer.from(transactionId).readUInt32BE(0) !== MAGIC_COOKIE;

/**
 * May an attribute count that comes after this one? Nothing but a stronger integrity and FINGERPRINT counts after
 * MESSAGE-INTEGRITY, nothing but FINGERPRINT after MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6): what follows is
 * not covered by the MAC, and anybody could have put it there.
 */
export const countsAfter = (last: number | undefined, type: number): boolean => {
  if (last === INTEGRITY_TYPES.fingerprint) return false;
  if (last === INTEGRITY_TYPES.sha256) return type === INTEGRITY_TYPES.fingerprint;
  if (last === INTEGRITY_TYPES.sha1) return type === INTEGRITY_TYPES.sha256 || type === INTEGRITY_TYPES.fingerprint;
  return true;
};

/**
 * An attribute as it lies on the wire, padded with zeros.
 * @throws RangeError when `type` or the value's length does not fit 16 bits.
 */
export const encodeRawAttribute = (type: number, value: Uint8Array): Buffer => {
  const bytes = zeroed(ATTRIBUTE_HEADER_BYTES + value.length + paddingOf(value.length));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  bytes.set(value, ATTRIBUTE_HEADER_BYTES);
  return bytes;
};

/**
 * Finds the message's parts. Never throws. Attributes that do not count are left out, those of an unknown type kept.
 * Padding may hold anything (RFC 8489 §14).
 */
export const readFrame = (input: Uint8Array): Parsed<StunFrame, StunLayoutRefusal> => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.length > MAX_STUN_BYTES) return refuse('too-long');
  if (bytes.length < STUN_HEADER_BYTES) return refuse('truncated');
  const dialect = dialectOf(bytes);
  if (!dialect) return refuse('not-stun');
  const end = STUN_HEADER_BYTES + bytes.readUInt16BE(2);
  if (end > bytes.length) return refuse('truncated');
  if (end < bytes.length || end % WORD_BYTES !== 0) return refuse('length');

  const attributes: RawAttribute[] = [];
  let seen = 0;
  for (let at = STUN_HEADER_BYTES; at < end; seen++) {
    if (seen === MAX_STUN_ATTRIBUTES) return refuse('too-many-attributes');
    // The end and every attribute lie on a word boundary, so that a header never reaches past the end.
    const type = bytes.readUInt16BE(at);
    const valueStart = at + ATTRIBUTE_HEADER_BYTES;
    const valueEnd = valueStart + bytes.readUInt16BE(at + 2);
    const next = valueEnd + paddingOf(valueEnd);
    if (next > end) return refuse('attribute-overrun');
    const last = attributes.at(-1)?.type;
    if (last === INTEGRITY_TYPES.fingerprint) return refuse('after-fingerprint');
    if (countsAfter(last, type)) attributes.push({ type, at, value: bytes.subarray(valueStart, valueEnd) });
    at = next;
  }
  const type = bytes.readUInt16BE(0);
  return accept({ bytes, dialect, class: classOf(type), method: methodOf(type), attributes });
};

/**
 * Cheap test for demultiplexing: could this datagram be STUN? RFC 7983 §7 gives the first octets 0–3 to it; the cookie
 * or a message type of RFC 3489, and a length that fits the datagram, tell it from what else starts like that.
 */
export const looksLikeStun = (input: Uint8Array): boolean => {
  const [first = 0xff] = input;
  if (first > 3 || input.length < STUN_HEADER_BYTES || input.length % WORD_BYTES !== 0) return false;
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  return bytes.readUInt16BE(2) === bytes.length - STUN_HEADER_BYTES && dialectOf(bytes) !== null;
};

/**
 * MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (RFC 8489 §14.5–14.7): computed over the bytes as they
 * lie on the wire, padding included, because the MAC covers padding that parsing forgets.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { SHA1_BYTES, SHA256_BYTES } from './stun-attributes.js';
import {
  ATTRIBUTE_HEADER_BYTES,
  COOKIE_OFFSET,
  encodeRawAttribute,
  INTEGRITY_TYPES,
  MAGIC_COOKIE,
  MAX_STUN_BYTES,
  type RawAttribute,
  readFrame,
  STUN_HEADER_BYTES,
  type StunFrame,
} from './stun-layout.js';

/** `sha1` is MESSAGE-INTEGRITY, `sha256` is MESSAGE-INTEGRITY-SHA256. */
export type StunIntegrity = 'sha1' | 'sha256';

const STUN_CHECKS = [
  'valid',
  'invalid',
  'absent', // none that counts, or no STUN message at all
] as const;
export type StunCheck = (typeof STUN_CHECKS)[number];

const HMAC_BYTES = { sha1: SHA1_BYTES, sha256: SHA256_BYTES } as const;
/** Keeps the CRC apart from other protocols' that put one in the same place (RFC 8489 §14.7). */
const FINGERPRINT_XOR = 0x5354_554e;
const CRC_BYTES = 4;
/** The polynomial of ITU V.42, reflected. */
const CRC32_POLYNOMIAL = 0xedb8_8320;
/** RFC 3489 §11.2.8 fills the MAC's input with zeros to a multiple of this; RFC 8489 does not. */
const RFC3489_BLOCK_BYTES = 64;

const CRC32_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32_POLYNOMIAL : crc >>> 1;
  return crc;
});

/** Node's own `zlib.crc32` is younger than the oldest Node that we run on. */
const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffff_ffff;
  for (const octet of bytes) crc = (crc >>> 8) ^ (CRC32_TABLE[(crc ^ octet) & 0xff] ?? 0);
  return ~crc >>> 0;
};

/**
 * What is hashed for an attribute at `at`: all before it, under a length that ends the message with this attribute
 * (RFC 8489 §14.5), so that what comes later can be appended without breaking it.
 */
const hashedFor = (message: Uint8Array, at: number, valueBytes: number): Buffer => {
  const hashed = Buffer.from(message.subarray(0, at));
  hashed.writeUInt16BE(at + ATTRIBUTE_HEADER_BYTES + valueBytes - STUN_HEADER_BYTES, 2);
  return hashed;
};

const hmacOf = (hashed: Buffer, key: Uint8Array, algorithm: StunIntegrity): Buffer => {
  const hmac = createHmac(algorithm, key).update(hashed);
  const isRfc3489 = hashed.readUInt32BE(COOKIE_OFFSET) !== MAGIC_COOKIE;
  if (isRfc3489) hmac.update(Buffer.alloc(-hashed.length & (RFC3489_BLOCK_BYTES - 1)));
  return hmac.digest();
};

const fingerprintOf = (hashed: Buffer): number => (crc32(hashed) ^ FINGERPRINT_XOR) >>> 0;

const append = (message: Uint8Array, type: number, value: Uint8Array): Uint8Array => {
  const bytes = Buffer.concat([message, encodeRawAttribute(type, value)]);
  if (bytes.length > MAX_STUN_BYTES) throw new RangeError(`a STUN message of ${bytes.length} octets fits no datagram`);
  bytes.writeUInt16BE(bytes.length - STUN_HEADER_BYTES, 2);
  return bytes;
};

/** Appends an HMAC to a whole message. @throws RangeError when no datagram could carry the result. */
export const appendIntegrity = (message: Uint8Array, key: Uint8Array, algorithm: StunIntegrity): Uint8Array =>
  append(
    message,
    INTEGRITY_TYPES[algorithm],
    hmacOf(hashedFor(message, message.length, HMAC_BYTES[algorithm]), key, algorithm),
  );

/** Appends FINGERPRINT to a whole message; nothing may follow. @throws RangeError when no datagram could carry the result. */
export const appendFingerprint = (message: Uint8Array): Uint8Array => {
  const crc = Buffer.alloc(CRC_BYTES);
  crc.writeUInt32BE(fingerprintOf(hashedFor(message, message.length, CRC_BYTES)), 0);
  return append(message, INTEGRITY_TYPES.fingerprint, crc);
};

const find = (
  message: Uint8Array,
  type: number,
): { readonly frame: StunFrame; readonly found: RawAttribute } | null => {
  const frame = readFrame(message);
  if (!frame.ok) return null;
  const found = frame.value.attributes.find((attribute) => attribute.type === type);
  return found ? { frame: frame.value, found } : null;
};

/**
 * Was the message made by who holds the key, up to that attribute? Constant-time in the MAC. Never throws. A cut
 * SHA-256 is invalid, because no usage that we speak allows it (RFC 8489 §14.6).
 */
export const verifyIntegrity = (message: Uint8Array, key: Uint8Array, algorithm: StunIntegrity): StunCheck => {
  const attribute = find(message, INTEGRITY_TYPES[algorithm]);
  if (!attribute) return 'absent';
  const { value, at } = attribute.found;
  if (value.length !== HMAC_BYTES[algorithm]) return 'invalid';
  const expected = hmacOf(hashedFor(attribute.frame.bytes, at, value.length), key, algorithm);
  return timingSafeEqual(expected, value) ? 'valid' : 'invalid';
};

/** Does the CRC fit? Tells STUN from chance, not friend from foe. Never throws. */
export const verifyFingerprint = (message: Uint8Array): StunCheck => {
  const attribute = find(message, INTEGRITY_TYPES.fingerprint);
  if (!attribute) return 'absent';
  const { value, at } = attribute.found;
  if (value.length !== CRC_BYTES) return 'invalid';
  return value.readUInt32BE(0) === fingerprintOf(hashedFor(attribute.frame.bytes, at, CRC_BYTES)) ? 'valid' : 'invalid';
};

/** The key of a short-term credential: the password (RFC 8489 §9.1.1), already OpaqueString (RFC 8265). */
export const shortTermKey = (password: string): Uint8Array => Buffer.from(password, 'utf8');

/**
 * The key of a long-term credential (RFC 8489 §18.5.1), MD5 unless PASSWORD-ALGORITHM chose SHA-256. All three are
 * already OpaqueString (RFC 8265).
 */
export const longTermKey = (
  credential: { readonly username: string; readonly realm: string; readonly password: string },
  passwordAlgorithm: 'md5' | 'sha256' = 'md5',
): Uint8Array =>
  createHash(passwordAlgorithm)
    .update(`${credential.username}:${credential.realm}:${credential.password}`, 'utf8')
    .digest();

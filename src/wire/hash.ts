/**
 * SHA-256 and HMAC-SHA256 of messages that fit a datagram. One call into OpenSSL each, with its result as Latin-1 text:
 * hash objects and buffers of Node's own cost several times what the hashing itself does.
 */
import * as crypto from 'node:crypto';

/** RFC 6234 §8.3 and RFC 2104 §2: what SHA-256 takes in at once, and gives. */
const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** The longest tag (1,400) with its channel binding (32) fits; what is longer takes the ordinary way. */
const SCRATCH_BYTES = 2048;

/** `crypto.hash` came with Node 20.12. */
const sha256 =
  typeof crypto.hash === 'function'
    ? (bytes: Uint8Array): string => crypto.hash('sha256', bytes, 'binary')
    : (bytes: Uint8Array): string => crypto.createHash('sha256').update(bytes).digest('binary');

// Used within one call and never handed out.
const inner = Buffer.alloc(BLOCK_BYTES + SCRATCH_BYTES);
const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);
const computed = Buffer.alloc(HASH_BYTES);

/** What a MAC covers: `message`, followed by `more` if there is any, under a key of at most 64 octets. */
interface Signed {
  readonly message: Uint8Array;
  readonly more: Uint8Array | null;
  readonly key: Uint8Array;
}

/** A text's SHA-256 in hexadecimal. */
export const sha256Hex =
  typeof crypto.hash === 'function'
    ? (text: string): string => crypto.hash('sha256', text, 'hex')
    : (text: string): string => crypto.createHash('sha256').update(text).digest('hex');

/** The first `length` octets of a message's SHA-256. */
export const sha256Bytes = (message: Uint8Array, length: number): Buffer =>
  Buffer.from(sha256(message), 'latin1').subarray(0, length);

/** Views of `inner` by their length: one for each message would be garbage. */
const innerViews: (Uint8Array | undefined)[] = [];
const innerOf = (length: number): Uint8Array => {
  const view = innerViews[length] ?? inner.subarray(0, length);
  innerViews[length] = view;
  return view;
};

/** HMAC-SHA256 (RFC 2104) as Latin-1 text. */
const hmacText = ({ message, more, key }: Signed): string => {
  const size = message.length + (more?.length ?? 0);
  if (size > SCRATCH_BYTES || key.length > BLOCK_BYTES) {
    const hmac = crypto.createHmac('sha256', key).update(message);
    return (more ? hmac.update(more) : hmac).digest('binary');
  }
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    const octet = key[at] ?? 0;
    inner[at] = octet ^ INNER_PAD;
    outer[at] = octet ^ OUTER_PAD;
  }
  inner.set(message, BLOCK_BYTES);
  if (more) inner.set(more, BLOCK_BYTES + message.length);
  outer.write(sha256(innerOf(BLOCK_BYTES + size)), BLOCK_BYTES, HASH_BYTES, 'latin1');
  return sha256(outer);
};

/** Writes the first `length` octets of the HMAC-SHA256 into `target`, from `at` on. */
export const writeHmacSha256 = (target: Buffer, at: number, length: number, signed: Signed): void => {
  target.write(hmacText(signed), at, length, 'latin1');
};

/** Whether `mac` is the beginning of the HMAC-SHA256, in a time that does not depend on either. */
export const isHmacSha256 = (mac: Uint8Array, signed: Signed): boolean => {
  if (mac.length > HASH_BYTES) return false;
  computed.write(hmacText(signed), 0, HASH_BYTES, 'latin1');
  return crypto.timingSafeEqual(computed.subarray(0, mac.length), mac);
};

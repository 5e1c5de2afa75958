/**
 * Opaque bytes as DNS labels: base32 (RFC 4648 §6) in lower case without padding, because names lose their case on the
 * way (RFC 4343, and resolvers that mix it on purpose) and base64 would not survive that.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { MAX_DNS_LABEL, MAX_DNS_NAME } from './dns-layout.js';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const BITS_PER_CHARACTER = 5;
const BITS_PER_BYTE = 8;

const DNS_LABEL_REFUSALS = [
  'not-under-suffix', // another name, the suffix alone, or no name at all
  'not-base32', // foreign characters, a length or left-over bits that no encoder makes
] as const;
export type DnsLabelRefusal = (typeof DNS_LABEL_REFUSALS)[number];

const VALUES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((character, value) => [character, value]));

const toBase32 = (bytes: Uint8Array): string => {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << BITS_PER_BYTE) | byte;
    bits += BITS_PER_BYTE;
    while (bits >= BITS_PER_CHARACTER) {
      bits -= BITS_PER_CHARACTER;
      text += ALPHABET.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET.charAt(held << (BITS_PER_CHARACTER - bits));
};

/** Null for what `toBase32` never makes, so that there is one spelling of every tag (RFC 4648 §3.5). */
const fromBase32 = (text: string): Uint8Array | null => {
  const bytes = Buffer.alloc(Math.floor((text.length * BITS_PER_CHARACTER) / BITS_PER_BYTE));
  let held = 0;
  let bits = 0;
  let filled = 0;
  for (const character of text) {
    const value = VALUES.get(character);
    if (value === undefined) return null;
    held = (held << BITS_PER_CHARACTER) | value;
    bits += BITS_PER_CHARACTER;
    if (bits < BITS_PER_BYTE) continue;
    bits -= BITS_PER_BYTE;
    bytes[filled] = held >> bits;
    filled += 1;
    held &= (1 << bits) - 1;
  }
  return bits < BITS_PER_CHARACTER && held === 0 ? bytes : null;
};

/** The name that carries `bytes` under `suffix`; null if there is nothing to carry or it would be over 253 characters. */
export const tagToLabels = (bytes: Uint8Array, suffix: string): string | null => {
  // Five bits a character: longer input cannot fit, and is not worth encoding to find out.
  if (bytes.length === 0 || bytes.length > MAX_DNS_NAME) return null;
  const text = toBase32(bytes);
  const labels: string[] = [];
  for (let at = 0; at < text.length; at += MAX_DNS_LABEL) labels.push(text.slice(at, at + MAX_DNS_LABEL));
  const name = `${labels.join('.')}.${suffix}`;
  return name.length <= MAX_DNS_NAME ? name : null;
};

/** The bytes that a name under `suffix` carries, however its letters are cased and its labels cut. Never throws. */
export const labelsToTag = (name: string, suffix: string): Parsed<Uint8Array, DnsLabelRefusal> => {
  const tail = `.${suffix.toLowerCase()}`;
  const bare = name.length <= MAX_DNS_NAME + 1 ? name.replace(/\.$/, '').toLowerCase() : '';
  if (!bare.endsWith(tail) || bare.length === tail.length) return refuse('not-under-suffix');
  const bytes = fromBase32(bare.slice(0, -tail.length).replaceAll('.', ''));
  return bytes === null || bytes.length === 0 ? refuse('not-base32') : accept(bytes);
};

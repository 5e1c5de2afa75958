/** Networks as people write them: an address, or an address with the length of its prefix (RFC 4632 section 3.1, RFC 4291 section 2.3). */

const BITS = { 4: 32, 6: 128 } as const;
const GROUPS = 8;

export interface NetworkText {
  readonly family: 4 | 6;
  /** The address as it was written. */
  readonly address: string;
  /** The length of the prefix; all bits for a single address. */
  readonly length: number;
}

const ipv4Bits = (text: string): bigint | null => {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
};

const ipv6Bits = (text: string): bigint | null => {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = GROUPS - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: halves.length === 2 ? missing : 0 }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
};

/** Reads a network; null for what is none, or has bits beyond its prefix, which firewalls read in different ways. */
export const parseNetwork = (text: string): NetworkText | null => {
  const [address = '', length, more] = text.split('/');
  if (more !== undefined || (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length))) return null;
  const family = address.includes(':') ? 6 : 4;
  const bits = family === 4 ? ipv4Bits(address) : ipv6Bits(address);
  const prefix = length === undefined ? BITS[family] : Number(length);
  if (bits === null || prefix > BITS[family]) return null;
  const beyond = BigInt(BITS[family] - prefix);
  return (bits & ((1n << beyond) - 1n)) === 0n ? { family, address, length: prefix } : null;
};

/** Is a network part of another one? Firewalls refuse sets whose members overlap. */
export const isWithin = (inner: NetworkText, outer: NetworkText): boolean => {
  if (inner.family !== outer.family || inner.length < outer.length) return false;
  const bitsOf = inner.family === 4 ? ipv4Bits : ipv6Bits;
  const beyond = BigInt(BITS[inner.family] - outer.length);
  const [a, b] = [bitsOf(inner.address), bitsOf(outer.address)];
  return a !== null && b !== null && a >> beyond === b >> beyond;
};

export const isNetwork = (text: string): boolean => parseNetwork(text) !== null;

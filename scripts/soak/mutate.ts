/** Hostile bytes from a seed: the same seed gives the same packets in the same order. */

/** The next number in [0, 1). */
export type Random = () => number;

/** A whole number from 0 to `limit` − 1. */
export const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** One of `all`, which is not empty. */
export const pick = <T>(random: Random, all: readonly T[]): T => {
  const one = all[below(random, all.length)];
  if (one === undefined) throw new RangeError('nothing to pick from');
  return one;
};

/** Where parsers that count or compare go wrong: borders of fields, and what separates text. */
const INTERESTING = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0x0d, 0x0a, 0x20, 0x3a, 0x3b, 0x22, 0x3c, 0x25] as const;
const INTERESTING_LENGTHS = [0, 1, 3, 4, 20, 0x7fff, 0x8000, 0xfffe, 0xffff] as const;

export const randomBytes = (random: Random, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) bytes[at] = below(random, 256);
  return bytes;
};

type Mutation = (bytes: Buffer, random: Random, corpus: readonly Uint8Array[]) => Buffer;

const overwritten: Mutation = (bytes, random) => {
  for (let times = 1 + below(random, 6); times > 0 && bytes.length > 0; times -= 1) {
    bytes[below(random, bytes.length)] = random() < 0.5 ? pick(random, INTERESTING) : below(random, 256);
  }
  return bytes;
};
const bitFlipped: Mutation = (bytes, random) => {
  const at = below(random, Math.max(1, bytes.length));
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
  return bytes;
};
/** Two octets that may be a length. */
const mismeasured: Mutation = (bytes, random) => {
  if (bytes.length > 1) bytes.writeUInt16BE(pick(random, INTERESTING_LENGTHS), below(random, bytes.length - 1));
  return bytes;
};
const cut: Mutation = (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1));
const joined: Mutation = (bytes, random, corpus) => {
  const other = pick(random, corpus);
  const from = below(random, other.length + 1);
  return Buffer.concat([bytes.subarray(0, below(random, bytes.length + 1)), other.subarray(from)]);
};
const repeated: Mutation = (bytes, random) => {
  const from = below(random, bytes.length + 1);
  const part = bytes.subarray(from, from + 1 + below(random, 40));
  const times = new Array<Buffer>(1 + below(random, 60)).fill(part);
  return Buffer.concat([bytes.subarray(0, from), ...times, bytes.subarray(from)]);
};
const stuffed: Mutation = (bytes, random) => {
  const at = below(random, bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), randomBytes(random, 1 + below(random, 30)), bytes.subarray(at)]);
};
const asItIs: Mutation = (bytes) => bytes;

/** The cheap ones come more often. */
const MUTATIONS: readonly Mutation[] = [
  ...[overwritten, overwritten, overwritten, overwritten, bitFlipped, bitFlipped, mismeasured, mismeasured],
  ...[cut, cut, joined, repeated, stuffed, asItIs],
];

/** Nothing of the corpus: noise. */
const NOISE = 0.03;
/** UDP's own limit over IPv4. */
const MAX_BYTES = 65_507;

/** A message of the corpus after one or two mutations. */
export const mutated = (random: Random, corpus: readonly Uint8Array[]): Buffer => {
  if (random() < NOISE) return randomBytes(random, below(random, 600));
  const base = pick(random, corpus);
  const copy = Buffer.allocUnsafe(base.length);
  copy.set(base);
  const once = pick(random, MUTATIONS)(copy, random, corpus);
  const twice = random() < 0.3 ? pick(random, MUTATIONS)(once, random, corpus) : once;
  return twice.subarray(0, MAX_BYTES);
};

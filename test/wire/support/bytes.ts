/** Bytes in tests: hex in and out, fixtures, and ways to spoil a message. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';

/** Bytes from hex with blanks between, for vectors laid out by hand. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

const packageRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
};

/** A fixture of hex lines; lines that begin with # say where it comes from. */
export const fixture = (name: string): Buffer =>
  hex(readFileSync(join(packageRoot(), 'fixtures', name), 'utf8').replaceAll(/^#.*$/gm, ''));

/** The same value with bytes as hex and bigints as text, so that Buffer and Uint8Array compare by content. */
export const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
};

/** A message with a few octets overwritten, possibly cut, possibly followed by something. */
export const spoiled = (message: Uint8Array): fc.Arbitrary<Buffer> =>
  fc
    .record({
      writes: fc.array(fc.tuple(fc.nat(message.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      keep: fc.oneof(fc.constant(message.length), fc.nat(message.length)),
      more: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 12 })),
    })
    .map(({ writes, keep, more }) => {
      const bytes = Buffer.from(message);
      for (const [at, octet] of writes) bytes[at] = octet;
      return Buffer.concat([bytes.subarray(0, keep), more]);
    });

/** Milliseconds that `work` takes. */
export const timed = (work: () => void): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};

/** Ids of what is reported: UUIDv7 (RFC 9562 §5.7), in order of time. */
import { createHash, randomBytes } from 'node:crypto';

/** RFC 9562 §5.7: 48 bits of milliseconds, the version, the variant, and 74 bits of whatever tells ids apart. */
const uuidV7From = (atMs: number, tail: Uint8Array): string => {
  const bytes = Buffer.alloc(16);
  bytes.set(tail.subarray(0, 10), 6);
  bytes.writeUIntBE(Math.max(0, Math.floor(atMs)), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** A new id. */
export const newId = (atMs: number): string => uuidV7From(atMs, randomBytes(10));

/**
 * The id of something that may have to be worked out again after a crash between its storing and our remembering so:
 * the same words at the same time give the same id, and receivers drop what they know.
 */
export const derivedId = (atMs: number, ...words: readonly string[]): string =>
  uuidV7From(atMs, createHash('sha256').update(JSON.stringify(words)).digest());

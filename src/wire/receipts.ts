/**
 * Receipts: the agent names sequence numbers, the reflector tells how often each arrived. In a query a count (2 bytes)
 * and the numbers (4 bytes each); in an answer one byte for each number, in the same order, 255 for more.
 */

/** As many as fit a datagram that no path has to fragment. */
export const MAX_RECEIPTS = 250;
const COUNT_BYTES = 2;
const SEQUENCE_BYTES = 4;
export const MAX_RECEIPT_COUNT = 255;

/** The query's body, padded so that the answer tag is never larger than the request. `padding` is the difference. */
export const encodeReceiptsQuery = (sequences: readonly number[], padding: number): Uint8Array => {
  if (sequences.length > MAX_RECEIPTS) throw new RangeError(`at most ${MAX_RECEIPTS} sequence numbers in one query`);
  const body = Buffer.alloc(COUNT_BYTES + SEQUENCE_BYTES * sequences.length + padding);
  body.writeUInt16BE(sequences.length, 0);
  for (const [index, sequence] of sequences.entries()) {
    body.writeUInt32BE(sequence, COUNT_BYTES + SEQUENCE_BYTES * index);
  }
  return body;
};

/** The numbers that a query names; what is cut off or too much is left out. */
export const readReceiptsQuery = (body: Uint8Array): readonly number[] => {
  if (body.length < COUNT_BYTES) return [];
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const room = Math.floor((bytes.length - COUNT_BYTES) / SEQUENCE_BYTES);
  const count = Math.min(bytes.readUInt16BE(0), room, MAX_RECEIPTS);
  return Array.from({ length: count }, (_, index) => bytes.readUInt32BE(COUNT_BYTES + SEQUENCE_BYTES * index));
};

export const encodeReceipts = (counts: readonly number[]): Uint8Array =>
  Uint8Array.from(counts, (count) => Math.min(count, MAX_RECEIPT_COUNT));

/** The counts for the first of `asked` numbers: for all, or up to one that the far end has forgotten. */
export const readReceipts = (body: Uint8Array, asked: number): readonly number[] => [...body.subarray(0, asked)];

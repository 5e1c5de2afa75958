/** One file of the spool: read when it is found, appended to while it is the newest of its lane. */
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLine, type Gap, type StoredRecord, scanLines } from './line.js';
import { LANES, type Lane } from './retention.js';

export interface Segment {
  readonly lane: Lane;
  readonly file: string;
  readonly firstSeq: number;
  lastSeq: number;
  bytes: number;
  newestAt: number;
  /** Where each record lies: its number, offset and length. */
  readonly seqs: number[];
  readonly offsets: number[];
  readonly lengths: number[];
  /** Nothing is appended to a damaged file. */
  sealed: boolean;
}

const NAME = /^([a-z]+)-(\d{15})\.log$/;

/** `light-000000000000042.log`: the lane and the number of its first record, so that a listing is in order. */
const segmentName = (lane: Lane, firstSeq: number): string => `${lane}-${String(firstSeq).padStart(15, '0')}.log`;

/** What a file name says, or null if it is none of ours. */
export const parseSegmentName = (name: string): { readonly lane: Lane; readonly firstSeq: number } | null => {
  const match = NAME.exec(name);
  const lane = LANES.find((one) => one === match?.[1]);
  return match && lane ? { lane, firstSeq: Number(match[2]) } : null;
};

export const newSegment = (folder: string, lane: Lane, firstSeq: number): Segment => ({
  lane,
  file: join(folder, segmentName(lane, firstSeq)),
  firstSeq,
  lastSeq: firstSeq - 1,
  bytes: 0,
  newestAt: 0,
  seqs: [],
  offsets: [],
  lengths: [],
  sealed: false,
});

const timeOf = ({ record }: StoredRecord): number => {
  const at = Date.parse(record.at);
  return Number.isNaN(at) ? 0 : at;
};

/** Notes that a record lies at the end of the segment. */
export const noteAppended = (segment: Segment, stored: StoredRecord, length: number): void => {
  segment.seqs.push(stored.seq);
  segment.offsets.push(segment.bytes);
  segment.lengths.push(length - 1);
  segment.bytes += length;
  segment.lastSeq = stored.seq;
  segment.newestAt = Math.max(segment.newestAt, timeOf(stored));
};

/** A damaged segment holds what could still be read, and says what could not. */
interface Recovered {
  readonly segment: Segment;
  readonly gaps: readonly Gap[];
  readonly tornBytes: number;
}

/** Reads a segment as it was left, and cuts off what was being written when the process or the power went. */
export const recoverSegment = async (folder: string, lane: Lane, firstSeq: number): Promise<Recovered> => {
  const segment = newSegment(folder, lane, firstSeq);
  const bytes = await readFile(segment.file);
  const { lines, gaps, goodLength } = scanLines(bytes);
  for (const { seq, offset, length } of lines) {
    segment.seqs.push(seq);
    segment.offsets.push(offset);
    segment.lengths.push(length);
    segment.lastSeq = Math.max(segment.lastSeq, seq);
  }
  const last = lines.at(-1);
  const newest = last && decodeLine(bytes.subarray(last.offset, last.offset + last.length));
  segment.newestAt = newest ? timeOf(newest) : 0;
  segment.bytes = goodLength;
  const tornBytes = bytes.length - goodLength;
  if (tornBytes > 0) {
    try {
      await truncate(segment.file, goodLength);
    } catch {
      // A disk that cannot be written: the tail stays, and nothing may follow it.
      segment.sealed = true;
      segment.bytes = bytes.length;
    }
  }
  return { segment, gaps, tornBytes };
};

/** Reads records of a segment by their places. One that meanwhile became unreadable is left out. */
export const readRecords = async (segment: Segment, places: readonly number[]): Promise<readonly StoredRecord[]> => {
  if (places.length === 0) return [];
  const handle: FileHandle = await open(segment.file, 'r');
  try {
    const found: StoredRecord[] = [];
    for (const place of places) {
      const length = segment.lengths[place] ?? 0;
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await handle.read(buffer, 0, length, segment.offsets[place] ?? 0);
      const stored = bytesRead === length ? decodeLine(buffer) : null;
      if (stored) found.push(stored);
    }
    return found;
  } finally {
    await handle.close();
  }
};

/** Reading the spool: the lanes merged into one order, backwards from the newest, or one record by its id. */
import type { SpoolRecord } from '../exporters/contract.js';
import type { StoredRecord } from './line.js';
import type { Lane } from './retention.js';
import { readRecords, type Segment } from './segment.js';

export interface ReadLimits {
  readonly records: number;
  /** As they lie on disk; one record is read even if it is larger. */
  readonly bytes: number;
}

/** Few enough that other work gets its turn in between. */
const FIND_HELPING = 16;

/** The first index whose value is above `seq`; the values ascend. */
export const firstAfter = (seqs: readonly number[], seq: number): number => {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seqs[middle] ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** What was read, and up to which number was looked: a record that became unreadable is passed over for good. */
export interface ReadResult {
  readonly records: readonly StoredRecord[];
  readonly upTo: number;
}

/** The records after a number, in order. */
export const readAfter = async (
  segments: readonly Segment[],
  after: number,
  limits: ReadLimits,
): Promise<ReadResult> => {
  const cursors = segments
    .filter(({ lastSeq }) => lastSeq > after)
    .map((segment) => ({ segment, place: firstAfter(segment.seqs, after), places: [] as number[] }));
  let bytes = 0;
  let upTo = after;
  for (let count = 0; count < limits.records; count += 1) {
    const [next] = cursors
      .filter(({ segment, place }) => place < segment.seqs.length)
      .sort((a, b) => (a.segment.seqs[a.place] ?? 0) - (b.segment.seqs[b.place] ?? 0));
    if (!next) break;
    bytes += next.segment.lengths[next.place] ?? 0;
    if (count > 0 && bytes > limits.bytes) break;
    upTo = next.segment.seqs[next.place] ?? upTo;
    next.places.push(next.place);
    next.place += 1;
  }
  const found: StoredRecord[] = [];
  for (const { segment, places } of cursors) {
    // A segment that was dropped between choosing and reading is no error.
    found.push(...(await readRecords(segment, places).catch(() => [])));
  }
  return { records: found.sort((a, b) => a.seq - b.seq), upTo };
};

/** The newest records for which `wanted` holds, newest first; looks at `limit` records of these lanes at most. */
export const readNewest = async (
  segments: readonly Segment[],
  limit: number,
  lanes: readonly Lane[],
  wanted: (record: SpoolRecord) => boolean,
): Promise<readonly SpoolRecord[]> => {
  const found: StoredRecord[] = [];
  let left = limit;
  for (const segment of segments.filter(({ lane }) => lanes.includes(lane)).sort((a, b) => b.lastSeq - a.lastSeq)) {
    if (left <= 0) break;
    const places = segment.seqs.map((_, place) => place).slice(-left);
    left -= places.length;
    found.push(...(await readRecords(segment, places).catch(() => [])).filter(({ record }) => wanted(record)));
  }
  return found.sort((a, b) => b.seq - a.seq).map(({ record }) => record);
};

type Backwards = AsyncGenerator<readonly SpoolRecord[]>;

async function* helpings(
  files: readonly { readonly segment: Segment; readonly count: number }[],
  size: number,
): Backwards {
  for (const { segment, count } of files) {
    for (let end = count; end > 0; end -= size) {
      const start = Math.max(0, end - size);
      const places = Array.from({ length: end - start }, (_, index) => start + index);
      const found = await readRecords(segment, places).catch(() => []);
      yield found.map(({ record }) => record).reverse();
    }
  }
}

/**
 * The records of these lanes from the newest back, `size` at a time: file by file, so that lanes are in order and
 * their records among each other nearly. What is stored after the call is not among them.
 */
export const walkBack = (segments: readonly Segment[], lanes: readonly Lane[], size: number): Backwards =>
  helpings(
    segments
      .filter(({ lane }) => lanes.includes(lane))
      .sort((a, b) => b.lastSeq - a.lastSeq)
      .map((segment) => ({ segment, count: segment.seqs.length })),
    size,
  );

/** Records that are looked at for the newest of each target: some hours of many targets. */
const MAX_LOOKED_AT = 2000;

/** The newest report of each of these targets in this lane, of what lies at or below a number. */
export const newestReports = async (
  segments: readonly Segment[],
  lane: Lane,
  targets: readonly string[],
  upTo: number,
): Promise<readonly SpoolRecord[]> => {
  const found: SpoolRecord[] = [];
  const left = new Set(targets);
  let looked = 0;
  for (const segment of segments.filter((one) => one.lane === lane).sort((a, b) => b.lastSeq - a.lastSeq)) {
    for (let end = firstAfter(segment.seqs, upTo); end > 0 && left.size > 0; end -= FIND_HELPING) {
      if (looked >= MAX_LOOKED_AT) return found;
      const start = Math.max(0, end - FIND_HELPING);
      const places = Array.from({ length: end - start }, (_, index) => start + index);
      looked += places.length;
      for (const { record } of [...(await readRecords(segment, places).catch(() => []))].reverse())
        if (record.kind === 'report' && left.delete(record.target)) found.push(record);
    }
  }
  return found;
};

/** Files that are looked through for one record: its own, and its neighbours in case a clock was set. */
const MAX_FILES = 3;
/** A record is stored at the end of what it is about; the longest run takes an hour. */
const LONGEST_RUN_MS = 3_600_000;

/** The record with this id, made at about this time, or null if it is not there (any more). */
export const findRecord = async (
  segments: readonly Segment[],
  lanes: readonly Lane[],
  id: string,
  wallMs: number,
): Promise<SpoolRecord | null> => {
  for (const lane of lanes) {
    const likely = segments
      .filter((segment) => segment.lane === lane && segment.newestAt >= wallMs - LONGEST_RUN_MS)
      .sort((a, b) => a.newestAt - b.newestAt)
      .slice(0, MAX_FILES);
    for await (const records of walkBack(likely, [lane], FIND_HELPING)) {
      const found = records.find((record) => record.id === id);
      if (found) return found;
    }
  }
  return null;
};

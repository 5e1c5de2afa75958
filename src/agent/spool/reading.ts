/** Reading the spool: the lanes merged into one order, or backwards from the newest. */
import type { SpoolRecord } from '../exporters/contract.js';
import type { StoredRecord } from './line.js';
import type { Lane } from './retention.js';
import { readRecords, type Segment } from './segment.js';

export interface ReadLimits {
  readonly records: number;
  /** As they lie on disk; one record is read even if it is larger. */
  readonly bytes: number;
}

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

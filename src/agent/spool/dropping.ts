/** Removes the segments that are too old or have to make room, and counts what not every exporter had taken. */
import { unlink } from 'node:fs/promises';
import { codeOf } from '../../model/error-code.js';
import type { SegmentFiles } from './appender.js';
import { type Lane, type RetentionPolicy, segmentsToDrop } from './retention.js';
import type { Segment } from './segment.js';

interface DroppingOptions {
  readonly policy: RetentionPolicy;
  /** Wall-clock milliseconds, or null while the clock is not to be believed. */
  readonly now: () => number | null;
  readonly say: (message: string, details?: Readonly<Record<string, unknown>>) => void;
  /** Lets go of a segment, so that it can be removed. */
  readonly release: (segment: Segment) => Promise<void>;
  /** What every exporter has taken; infinity without exporters. */
  readonly deliveredTo: () => number;
}

export interface Dropping {
  /**
   * Drops what is too old or too much, and frees so many bytes more if it can.
   * @param rankOfNew what is worth more than this stays for these bytes; null spares all that somebody has yet to take
   * @returns bytes
   */
  drop(freeAtLeast: number, rankOfNew: Lane | null): Promise<number>;
  /** Counts records that are gone already. Returns how many of them not every exporter had taken. */
  count(lane: Lane, seqs: readonly number[]): number;
  /** Counts a record that never got to the disk. */
  lose(lane: Lane): void;
  /** Since the start, by lane. */
  dropped(): Readonly<Record<Lane, number>>;
}

/** @param files what is dropped leaves it */
export const createDropping = (options: DroppingOptions, files: SegmentFiles): Dropping => {
  const { policy, now, say, release, deliveredTo } = options;
  const dropped: Record<Lane, number> = { light: 0, full: 0, event: 0, change: 0 };

  const count = (lane: Lane, seqs: readonly number[]): number => {
    const lowest = deliveredTo();
    const lost = seqs.filter((seq) => seq > lowest && Number.isFinite(lowest)).length;
    dropped[lane] += lost;
    return lost;
  };

  return {
    count,
    lose: (lane) => {
      dropped[lane] += 1;
    },
    dropped: () => ({ ...dropped }),
    drop: async (freeAtLeast, rankOfNew) => {
      const leaving = segmentsToDrop({
        ...{ policy, freeAtLeast, rankOfNew },
        segments: files.segments.filter(({ bytes }) => bytes > 0),
        now: now(),
        deliveredTo: deliveredTo(),
      });
      let freed = 0;
      for (const segment of leaving) {
        await release(segment);
        try {
          await unlink(segment.file);
        } catch (error) {
          if (codeOf(error) !== 'ENOENT') continue;
        }
        freed += segment.bytes;
        files.segments = files.segments.filter((one) => one !== segment);
        const lost = count(segment.lane, segment.seqs);
        if (lost > 0)
          say('results were dropped before every exporter had taken them', { lane: segment.lane, results: lost });
      }
      return freed;
    },
  };
};

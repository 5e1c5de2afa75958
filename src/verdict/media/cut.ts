/** Where a stream was cut or throttled, by direction, and whether a second one was as well. Pure. */
import type { MediaStream } from '../../model/media.js';
import { changePointOf, kindOfCut } from './change-point.js';
import { type DirectionName, directionsOf } from './direction.js';

interface Cut {
  readonly direction: DirectionName;
  /** So many packets had entered the direction before, and so long it had lasted. */
  readonly packets: number;
  readonly atMs: number;
  readonly lossAfter: number;
}

/** The first direction to suffer is the one that is cut: what never arrives is not answered either. */
export const cutOf = ({ packets }: MediaStream): Cut | null => {
  const both = directionsOf(packets);
  if (!both) return null;
  for (const direction of ['outbound', 'inbound'] as const) {
    const { lost, atMs } = both[direction];
    const change = changePointOf(lost);
    if (change) {
      return { direction, packets: change.index, atMs: atMs[change.index] ?? 0, lossAfter: change.lossAfter };
    }
  }
  return null;
};

export interface Throttling extends Cut {
  readonly kind: 'quota' | 'timer' | 'unknown';
}

/** What two streams of different speed show alike; null where the second one was not cut, so that the first one's trouble was no rule. */
export const throttlingOf = (stream: MediaStream, repeat: MediaStream | null): Throttling | null => {
  const first = cutOf(stream);
  const second = repeat && cutOf(repeat);
  if (!first || !repeat || second?.direction !== first.direction) return null;
  const told = ({ packets, atMs }: Cut, { spacingMs }: MediaStream) => ({
    ...{ packets, seconds: atMs / 1000 },
    rate: 1000 / spacingMs,
  });
  const kind = kindOfCut(told(first, stream), told(second, repeat));
  return kind && { ...first, kind };
};

/** For how long a result stands: the same for the status page, for metrics, and for whatever shows a state. */
import type { RunKind } from './config/schema.js';

/** A light run each minute that failed to come twice is no news of now; what has no interval is not judged by age. */
const STALE_INTERVALS = 3;
/** A run itself takes time, and its second look. */
const STALE_AT_LEAST_MS = 300_000;

interface Scheduled {
  readonly kind: RunKind;
  /** Null where a cron pattern says when. */
  readonly everyMs: number | null;
}

/** Milliseconds after which a target's result of this lane is no answer any more; infinite where no interval says when. */
export const staleAfterMs = (schedules: readonly Scheduled[], lane: 'light' | 'full'): number => {
  const every = schedules
    .filter(({ kind }) => (kind === 'light') === (lane === 'light'))
    .flatMap(({ everyMs }) => everyMs ?? []);
  return every.length === 0
    ? Number.POSITIVE_INFINITY
    : Math.max(STALE_AT_LEAST_MS, STALE_INTERVALS * Math.min(...every));
};

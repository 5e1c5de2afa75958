/** What a run has learnt about its path so far; shared by all checks, so that a silent one knows how long to go on. */
import { type LossSample, lossUpperBound } from '../verdict/silence.js';

export interface Path {
  /** Adds a check's packets and answers; only checks that answered at least once say anything about loss. */
  report(checkId: string, packets: number, answers: number): void;
  /** A round trip that was measured, in milliseconds. */
  reportRtt(ms: number): void;
  /** How long after the last packet an answer still counts, in milliseconds. */
  lateMs(): number;
  sample(): LossSample;
  upperBound(): number | null;
}

/** Longer than any round trip over which people can talk; what is waited for where nothing is known. */
const LATE_UNKNOWN_MS = 1000;
/** However short the round trips are, a busy host or a filled queue may take this long. */
const LATE_MIN_MS = 300;
/** Late by more than four of the longest round trips seen is later than anything that this path does. */
const LATE_ROUND_TRIPS = 4;
/** Fewer round trips than this say nothing about the longest. */
const MIN_ROUND_TRIPS = 10;

/** A path about which nothing is known yet. */
export const createPath = (): Path => {
  let longestRttMs = 0;
  let roundTrips = 0;
  const answered = new Map<string, LossSample>();
  let cached: number | null | undefined;
  const sample = (): LossSample => {
    let trials = 0;
    let answers = 0;
    for (const check of answered.values()) {
      trials += check.trials;
      answers += check.answers;
    }
    return { trials, answers };
  };
  return {
    report: (checkId, packets, answers) => {
      if (answers === 0) return;
      answered.set(checkId, { trials: packets, answers });
      cached = undefined;
    },
    reportRtt: (ms) => {
      longestRttMs = Math.max(longestRttMs, ms);
      roundTrips += 1;
    },
    lateMs: () =>
      roundTrips < MIN_ROUND_TRIPS
        ? LATE_UNKNOWN_MS
        : Math.min(LATE_UNKNOWN_MS, Math.max(LATE_MIN_MS, LATE_ROUND_TRIPS * longestRttMs)),
    sample,
    upperBound: () => {
      cached ??= lossUpperBound(sample());
      return cached;
    },
  };
};

/** What a run has learnt about its path so far; shared by all checks, so that a silent one knows how long to go on. */
import type { LossSample } from '../model/observation.js';
import { lossUpperBound } from '../verdict/silence.js';

/** One check's account, told anew whenever it has changed; only checks that answered at least once say anything of loss. */
export type Account = (packets: number, answers: number) => void;

export interface Path {
  /** A new account, of zero packets. */
  open(): Account;
  /** A round trip that was measured, in milliseconds. */
  reportRtt(ms: number): void;
  /** How long after the last packet an answer still counts, in milliseconds. */
  lateMs(): number;
  sample(): LossSample;
  /** What was learnt of loss was learnt under a load that the run has given up; round trips stay known. */
  forgetLoss(): void;
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

/**
 * The bound is computed anew when trials or losses have grown by more than this part of themselves. A sweep of all media
 * ports reports thousands of times, and each computation grows with the losses; the verdicts use the final sample.
 */
const NOTABLE_GROWTH = 1 / 64;

const hasGrown = (before: number, now: number): boolean => Math.abs(now - before) > before * NOTABLE_GROWTH;

const NOTHING_SENT: LossSample = { trials: 0, answers: 0 };

/** A path about which nothing is known yet. */
export const createPath = (): Path => {
  let longestRttMs = 0;
  let roundTrips = 0;
  /** Accounts opened before loss was forgotten tell of what is forgotten. */
  let generation = 0;
  let total = NOTHING_SENT;
  let bound: { readonly of: LossSample; readonly value: number | null } = { of: total, value: null };
  return {
    open: () => {
      const opened = generation;
      let told = NOTHING_SENT;
      return (packets, answers) => {
        if (answers === 0 || opened !== generation) return;
        total = {
          trials: total.trials + packets - told.trials,
          answers: total.answers + answers - told.answers,
        };
        told = { trials: packets, answers };
      };
    },
    reportRtt: (ms) => {
      longestRttMs = Math.max(longestRttMs, ms);
      roundTrips += 1;
    },
    lateMs: () =>
      roundTrips < MIN_ROUND_TRIPS
        ? LATE_UNKNOWN_MS
        : Math.min(LATE_UNKNOWN_MS, Math.max(LATE_MIN_MS, LATE_ROUND_TRIPS * longestRttMs)),
    sample: () => total,
    forgetLoss: () => {
      generation += 1;
      total = NOTHING_SENT;
      bound = { of: total, value: null };
    },
    upperBound: () => {
      const { trials, answers } = bound.of;
      if (hasGrown(trials, total.trials) || hasGrown(trials - answers, total.trials - total.answers)) {
        bound = { of: total, value: lossUpperBound(total) };
      }
      return bound.value;
    },
  };
};

/**
 * Does the path lose because it is asked fast, or because it is asked often, or neither? Two experiments on ports that
 * are known to pass: the same questions fast and slow over flows that exist, and over flows that are new.
 */
import type { LossSample } from '../../model/observation.js';
import { lossLowerBound, lossUpperBound, SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import type { Canaries } from './canary.js';
import type { Exchange } from './exchange.js';

/** Loss below this hurts no verdict, and is not worth an experiment. */
export const NOTABLE_LOSS = 0.02;
/** The fast half lasts about a second: long enough to use up the credit that a token bucket grants at first. */
const FAST_SECONDS = 1;
const FAST_PACKETS = { least: 60, most: 2000 } as const;
/** Of the fast half the beginning is left out, in which the bucket's credit passes. */
const CREDIT_SHARE = 0.4;
/**
 * Thirty without loss bound it below 10 %; a hundred, both ways, meet a burst that comes once in two hundred packets. The slow
 * half takes three seconds at most for the difference.
 */
const SLOW_PACKETS = { least: 30, most: 100 } as const;
const SLOW_SECONDS = 3;
/**
 * Bursts of loss fall into a fast half and not into the slow one by chance, in the lab about once in eight; a limit shows
 * each time.
 */
const TIMES = 3;
/** So far below what passed that the bucket never empties. */
export const SLOW_SHARE = 0.7;

interface Phase extends LossSample {
  /** Answers a second to what was sent after the bucket's credit was gone. */
  readonly goodput: number;
}

/** Whether loss follows the rate, and where it begins; null if it does not. */
export const limitOfRate = (fast: Phase, slow: LossSample): number | null =>
  slow.answers > 0 && lossLowerBound(fast) > (lossUpperBound(slow) ?? 1) ? Math.max(1, Math.round(fast.goodput)) : null;

/**
 * Asks known ports at the present rate, then at what passed of it. Resolves with the rate at which loss begins, or null
 * where it is the same at both.
 */
export const findRateLimit = async (
  exchange: Exchange,
  canaries: Canaries,
  now: () => number,
  packetsPerSecond: number,
  lateMs: number,
  signal: AbortSignal,
): Promise<number | null> => {
  const before = exchange.rate();
  const send = async (packets: number, rate: number): Promise<Phase> => {
    canaries.begin();
    exchange.setRate(rate);
    const begun = now();
    let afterCredit: { readonly at: number; readonly answers: number } | null = null;
    for (let sent = 0; sent < packets; sent += 1) {
      const canary = canaries.next();
      if (!canary) break;
      await exchange.ask(canary, signal);
      if (afterCredit === null && sent >= packets * CREDIT_SHARE) {
        afterCredit = { at: now(), answers: canaries.sample().answers };
      }
    }
    const seconds = (now() - (afterCredit?.at ?? begun)) / 1000;
    const goodput = (canaries.sample().answers - (afterCredit?.answers ?? 0)) / Math.max(seconds, 1e-3);
    await exchange.settle({ each: canaries.asked() }, lateMs, signal);
    return { ...canaries.sample(), goodput };
  };
  const pair = async (): Promise<number | null> => {
    const count = Math.round(packetsPerSecond * FAST_SECONDS);
    const fast = await send(Math.min(FAST_PACKETS.most, Math.max(FAST_PACKETS.least, count)), packetsPerSecond);
    if (lossLowerBound(fast) < NOTABLE_LOSS || fast.goodput < 1) return null;
    const slowRate = fast.goodput * SLOW_SHARE;
    const slowCount = Math.max(SLOW_PACKETS.least, Math.min(SLOW_PACKETS.most, Math.round(slowRate * SLOW_SECONDS)));
    const slow = await send(slowCount, slowRate);
    return limitOfRate(fast, slow);
  };
  try {
    let most = 0;
    for (let time = 0; time < TIMES; time += 1) {
      const begins = await pair();
      if (begins === null) return null;
      most = Math.max(most, begins);
    }
    return most;
  } finally {
    canaries.begin();
    exchange.setRate(before);
  }
};

/**
 * Whether new flows are refused where old ones pass: `fresh` questions went to known ports from new source ports, and
 * `old` to the same from the old one, at the same time.
 */
export const refusesNewFlows = (fresh: LossSample, old: LossSample): boolean => {
  const bound = lossUpperBound(old);
  return fresh.answers === 0 && bound !== null && bound ** fresh.trials <= SINGLE_CHECK_DOUBT;
};

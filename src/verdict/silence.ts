/**
 * How much silence proves. The path's loss is bounded from above by the checks that did answer; a silent check is
 * believed to be dropped only when that loss could not explain its silence.
 */

import type { Silence } from '../model/far-end.js';
import type { LossSample } from '../model/observation.js';

/** A false "blocked" in a thousand single checks is the most that is tolerated. */
export const SINGLE_CHECK_DOUBT = 1e-3;
/** A range has many ports, so each one's verdict must be ten times as sure. */
export const RANGE_PORT_DOUBT = 1e-4;

/** One-sided confidence of the loss bounds. */
const BOUND_CONFIDENCE = 0.95;

/**
 * Fewer trials than this bound nothing: two answers out of two are compatible with a loss of 0.78, and no number of
 * attempts within a run makes that into evidence.
 */
export const MIN_TRIALS = 3;

/** ln(n!) by Stirling's series with three correction terms; exact to 1e-10 from n = 8, tabulated below. */
const lnFactorial = (n: number): number => {
  if (n < 8) {
    let product = 1;
    for (let factor = 2; factor <= n; factor += 1) product *= factor;
    return Math.log(product);
  }
  const x = n + 1;
  return (
    (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5)
  );
};

/**
 * P(X ≤ k) of a binomial distribution with n trials, as a function of their probability. What does not depend on it is
 * computed once, because a bound is searched for in fifty steps.
 */
const binomialCdf = (k: number, n: number): ((p: number) => number) => {
  const lnWays = Array.from({ length: k + 1 }, (_, i) => lnFactorial(n) - lnFactorial(i) - lnFactorial(n - i));
  return (p) => {
    if (p <= 0) return 1;
    if (p >= 1) return k >= n ? 1 : 0;
    const lnLost = Math.log(p);
    const lnKept = Math.log(1 - p);
    const sum = lnWays.reduce((total, ln, i) => total + Math.exp(ln + i * lnLost + (n - i) * lnKept), 0);
    return Math.min(1, sum);
  };
};

/** P(X ≥ k) of a binomial distribution with n trials of probability p; exact to 1e-12. */
export const atLeast = (k: number, n: number, p: number): number => (k <= 0 ? 1 : 1 - binomialCdf(k - 1, n)(p));

/** Solves a monotonic condition on [0, 1]: the boundary below which `below` holds. 50 halvings exhaust a double. */
const boundary = (below: (p: number) => boolean): number => {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (below(middle)) low = middle;
    else high = middle;
  }
  return high;
};

/** Clopper–Pearson upper bound of the loss, or null where too little answered to bound anything. */
export const lossUpperBound = ({ trials, answers }: LossSample): number | null => {
  if (trials < MIN_TRIALS || answers === 0) return null;
  const cdf = binomialCdf(trials - answers, trials);
  return boundary((p) => cdf(p) > 1 - BOUND_CONFIDENCE);
};

/** Clopper–Pearson lower bound of the loss: what is certainly lost, chance aside. 0 where nothing was. */
export const lossLowerBound = ({ trials, answers }: LossSample, confidence = 0.99): number => {
  const lost = trials - answers;
  if (lost <= 0) return 0;
  const cdf = binomialCdf(lost - 1, trials);
  return boundary((p) => 1 - cdf(p) < 1 - confidence);
};

/** The probability that loss alone silenced `packets` packets: an upper bound, 1 where nothing is known. */
export const doubtOfSilence = (packets: number, upperBound: number | null): number =>
  upperBound === null ? 1 : upperBound ** packets;

/** How many packets must stay unanswered before loss cannot explain it. Infinity where nothing is known. */
export const packetsNeeded = (upperBound: number | null, doubt: number): number => {
  if (upperBound === null || upperBound >= 1) return Number.POSITIVE_INFINITY;
  if (upperBound <= 0) return 1;
  const needed = Math.max(1, Math.ceil(Math.log(doubt) / Math.log(upperBound)));
  // The quotient of two logarithms is off by a rounding where the power hits the doubt; the power decides.
  return doubtOfSilence(needed, upperBound) > doubt ? needed + 1 : needed;
};

/** So unlikely by loss alone that the line was away: a run looks at some hundred stretches. */
const OUTAGE_DOUBT = 1e-6;
/** The loss of a path of which too little is known to bound it. */
const LOSS_UNKNOWN = 0.5;

/** A path that loses more than this may lose in bursts, which the mean of its loss says nothing of; of a shorter silence nothing is said. */
const BURSTY = 0.05;
const LONGEST_BURST_MS = 2000;

/** One port alone that is silent for so short a time may be what something loses on that port. */
const LONGEST_OF_PORT_MS = 2000;

/** Whether so many questions in vain to what is known to answer are an outage, and no burst of loss. */
export const isOutage = (
  { asked, fromMs, toMs, places }: Pick<Silence, 'asked' | 'fromMs' | 'toMs' | 'places'>,
  lossUpperBound: number | null,
  doubt = OUTAGE_DOUBT,
): boolean =>
  doubtOfSilence(asked, lossUpperBound ?? LOSS_UNKNOWN) <= doubt &&
  ((lossUpperBound ?? 0) <= BURSTY || toMs === null || toMs - fromMs > LONGEST_BURST_MS) &&
  (places !== 1 || toMs === null || toMs - fromMs > LONGEST_OF_PORT_MS);

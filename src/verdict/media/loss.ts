/** What a stream lost: how much, how sure that is, and whether it was lost in bursts. Pure. */
import { lowerBound, upperBound } from './beta.js';

/** Of bounds that are shown; both sides together. */
const SHOWN_CONFIDENCE = 0.95;
/** Of a loss that is called too much: one side, a false one in a hundred streams at the very threshold. */
export const PROOF_CONFIDENCE = 0.99;
/** 99 % of a normal distribution lie below the first, 90 % below the second: so sure, and so likely to be found. */
const Z_SURE = 2.3263478740408408;
const Z_FOUND = 1.2815515655446004;

export interface Loss {
  readonly sent: number;
  readonly lost: number;
  readonly ratio: number;
  /** The true ratio lies between these with a probability of 95 %. */
  readonly lower: number;
  readonly upper: number;
  /** With a probability of 99 % the true ratio is no smaller. */
  readonly proven: number;
  /** Mean run of lost packets over what it would be if each were lost by its own chance (ITU-T G.107 §7.2.4); 1 where nothing was lost. */
  readonly burstRatio: number;
  /** So many packets of this stream say as much as one of a stream that loses each by its own chance. */
  readonly inflation: number;
  /** The longest run of lost packets. */
  readonly longestGap: number;
}

/** Lengths of the runs of `true`. */
const runsOf = (flags: readonly boolean[]): readonly number[] => {
  const runs: number[] = [];
  let length = 0;
  for (const flag of flags) {
    if (flag) length += 1;
    else if (length > 0) {
      runs.push(length);
      length = 0;
    }
  }
  if (length > 0) runs.push(length);
  return runs;
};

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** The burst ratio of a sequence; 1 where nothing, or everything, was lost. */
export const burstRatioOf = (lost: readonly boolean[]): number => {
  const runs = runsOf(lost);
  const ratio = lost.filter(Boolean).length / Math.max(1, lost.length);
  return runs.length === 0 || ratio === 1 ? 1 : meanOf(runs) * (1 - ratio);
};

/**
 * By how much the variance of the ratio is larger than if each packet were lost by its own chance: (1 + ρ) / (1 − ρ) of a chain with
 * two states, which is 2·BurstR − 1. Of a few runs the mean says little: two standard errors of a geometric distribution's are
 * added.
 */
const inflationOf = (lost: readonly boolean[]): number => {
  const runs = runsOf(lost);
  if (runs.length === 0) return 1;
  const ratio = burstRatioOf(lost);
  const error = Math.sqrt(Math.max(0, ratio * (ratio - 1)) / runs.length);
  return Math.max(1, 2 * (ratio + 2 * error) - 1);
};

/**
 * How long a run is taken to be on average where none was seen, in packets. A line that loses in bursts is quiet in between: that a
 * short stream lost nothing says less of it than if each packet were lost by its own chance.
 */
const UNSEEN_RUN = 2;

/** With this confidence no more is lost: so many runs at most, of the length of those that were seen and of one that was not. */
const upperOf = (lost: readonly boolean[], confidence: number): number => {
  const runs = runsOf(lost);
  const length = (runs.reduce((sum, one) => sum + one, 0) + UNSEEN_RUN) / (runs.length + 1);
  return Math.min(1, upperBound(runs.length, lost.length, confidence) * length);
};

/** @param lost of each packet in the order of sending, whether it was lost */
export const lossOf = (lost: readonly boolean[]): Loss => {
  const sent = lost.length;
  const count = lost.filter(Boolean).length;
  const inflation = inflationOf(lost);
  const [hits, trials] = [count / inflation, sent / inflation];
  const each = 1 - (1 - SHOWN_CONFIDENCE) / 2;
  const ratio = count / Math.max(1, sent);
  return {
    ...{ sent, lost: count, ratio },
    lower: Math.min(ratio, lowerBound(hits, trials, each)),
    upper: Math.max(upperOf(lost, each), upperBound(hits, trials, each)),
    proven: lowerBound(hits, trials, PROOF_CONFIDENCE),
    burstRatio: burstRatioOf(lost),
    inflation,
    longestGap: Math.max(0, ...runsOf(lost)),
  };
};

/** How many packets tell these two ratios apart. */
const packetsToTell = (ratio: number, other: number): number => {
  const spread = Z_SURE * Math.sqrt(other * (1 - other)) + Z_FOUND * Math.sqrt(ratio * (1 - ratio));
  return Math.ceil((spread / (ratio - other)) ** 2);
};

/**
 * How many packets a stream of this loss would need to be told from the threshold; null where this one is told from it already, or
 * lies so near that none is long enough. Bursts make it more.
 */
export const packetsNeededFor = (loss: Loss, threshold: number): number | null => {
  if (loss.proven > threshold || loss.upper < threshold) return null;
  if (loss.lost === 0) {
    const needed = Math.ceil(Math.log(1 - SHOWN_CONFIDENCE) / Math.log(1 - threshold));
    return needed > loss.sent ? needed : null;
  }
  const needed = Math.ceil(loss.inflation * packetsToTell(loss.ratio, threshold));
  return Number.isFinite(needed) && needed > loss.sent ? needed : null;
};

/**
 * Moments at which a line was away too shortly for its canaries: everything that went out then to what is known to answer was
 * lost in a row. Of independent losses such a run is next to impossible, and what is away once for half a second loses no packets
 * before and after. Pure.
 */
import type { Span } from '../model/far-end.js';
import { lossUpperBound } from '../verdict/silence.js';

/** So unlikely by loss alone is a run of lost packets that counts: a sweep has some ten thousand places for one. */
const DOUBT = 1e-8;
/** Shorter ones are bursts of loss, which calls suffer from. */
const MIN_MS = 200;
/** A line that goes away more often than this within a run is a line that loses in bursts. */
const MOST = 2;

/**
 * The stretches between two answers in which so many were lost that it is no loss of packets; none where there are more
 * than a few. @param answeredAtMs when what was answered went out @param lostAtMs when what stayed unanswered did, of
 * questions that were answered at another time
 */
export const gapsOf = (answeredAtMs: readonly number[], lostAtMs: readonly number[]): readonly Span[] => {
  if (lostAtMs.length === 0) return [];
  const answered = [...answeredAtMs].sort((a, b) => a - b);
  const long = answered.flatMap((toMs, index): readonly { readonly span: Span; readonly count: number }[] => {
    const fromMs = answered[index - 1] ?? toMs;
    if (toMs - fromMs < MIN_MS) return [];
    const count = lostAtMs.filter((atMs) => atMs > fromMs && atMs <= toMs).length;
    return count > 0 ? [{ span: [fromMs, toMs], count }] : [];
  });
  // What is lost elsewhere bounds what the line loses by itself.
  const inLong = long.reduce((sum, { count }) => sum + count, 0);
  const trials = answered.length + lostAtMs.length - inLong;
  const usual = lossUpperBound({ trials, answers: answered.length }) ?? 1;
  const gaps = long.filter(({ count }) => usual ** count <= DOUBT);
  return gaps.length > MOST ? [] : gaps.map(({ span }) => span);
};

/**
 * What a sample of a range can have missed: the probability that a hole of a given width lies wholly between two ports
 * that were asked, if it is as likely to begin at one port as at another.
 */
import type { PortRange } from '../model/check.js';

export interface Coverage {
  /** Port numbers from its first to its last: at least so wide a hole is met for certain. */
  readonly sureWidth: number;
  /** The narrowest hole that is missed with a probability of at most one half, and of at most 5 %. */
  readonly evenOddsWidth: number;
  readonly fivePercentWidth: number;
}

/** Runs of ports of the range that nobody asked, as counts. */
const gapsOf = ({ from, to, step }: Pick<PortRange, 'from' | 'to' | 'step'>, tested: readonly number[]): number[] => {
  const sorted = [...new Set(tested)].sort((a, b) => a - b);
  return [...sorted, to + step].map((port, index) => (port - (sorted[index - 1] ?? from - step)) / step - 1);
};

/** Where a hole of so many ports lies wholly in a gap. */
const missedPlaces = (gaps: readonly number[], width: number): number =>
  gaps.reduce((sum, gap) => sum + Math.max(0, gap - width + 1), 0);

/** Widths in port numbers, as a rule of a firewall would name them; a hole of every second port counts like any other. */
export const coverageOf = (
  range: Pick<PortRange, 'from' | 'to' | 'step'>,
  tested: readonly number[],
): Coverage | null => {
  if (tested.length === 0) return null;
  const gaps = gapsOf(range, tested).filter((gap) => gap > 0);
  const widest = gaps.reduce((most, gap) => Math.max(most, gap), 0);
  const count = Math.floor((range.to - range.from) / range.step) + 1;
  const narrowest = (odds: number): number => {
    let width = 1;
    while (width <= widest && missedPlaces(gaps, width) > odds * (count - width + 1)) width += 1;
    return width * range.step;
  };
  return { sureWidth: (widest + 1) * range.step, evenOddsWidth: narrowest(0.5), fivePercentWidth: narrowest(0.05) };
};

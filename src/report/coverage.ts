/** What sampled ranges may hide, and what was found to limit the path: figures for machines, sentences for people. */
import type { FarEndFacts } from '../model/far-end.js';
import type { Report } from '../model/report.js';
import { type Coverage, coverageOf } from '../verdict/coverage.js';
import type { ClassifiedRange } from '../verdict/ranges.js';
import { flowLimit, rateLimit, sampled } from '../words/coverage.js';

interface Covered extends Coverage {
  readonly id: string;
  readonly tested: number;
  readonly ports: number;
}

const covered = (ranges: readonly ClassifiedRange[]): readonly Covered[] =>
  ranges.flatMap(({ range, ports }) => {
    const tested = ports.filter(({ sent }) => sent > 0).map(({ check }) => check.port);
    const count = Math.floor((range.to - range.from) / range.step) + 1;
    const coverage = tested.length < count ? coverageOf(range, tested) : null;
    return coverage ? [{ id: range.id, tested: tested.length, ports: count, ...coverage }] : [];
  });

/** One row for each range of which not every port was asked. */
export const coverageRows = (ranges: readonly ClassifiedRange[]): NonNullable<Report['coverage']> =>
  covered(ranges).map((row) => ({ ...row }));

/** The widest of all, in a sentence: what a reader of "pass" has to know. */
export const coverageNotes = (ranges: readonly ClassifiedRange[]): readonly string[] => {
  const rows = covered(ranges);
  if (rows.length === 0) return [];
  const widest = (of: (row: Covered) => number): number => Math.max(...rows.map(of));
  const sure = widest(({ sureWidth }) => sureWidth);
  const fivePercent = widest(({ fivePercentWidth }) => fivePercentWidth);
  const evenOdds = widest(({ evenOddsWidth }) => evenOddsWidth);
  // Of small ranges the widths are the same, and what is always found is not missed as well.
  const parts = [
    `blocked runs of ${sure} ports or more are always found`,
    ...(fivePercent < sure ? [`runs of ${fivePercent} are missed with a probability of at most 5 %`] : []),
    ...(evenOdds < Math.min(sure, fivePercent)
      ? [`runs of ${evenOdds} ${fivePercent < sure ? 'of' : 'are missed with a probability of'} at most 50 %`]
      : []),
  ];
  return [sampled(parts.join(', '))];
};

/** What limits the path, with the figure at which it begins. */
export const limitNotes = (farEnds: readonly FarEndFacts[]): readonly string[] =>
  farEnds.flatMap(({ address, limit }) =>
    limit === null
      ? []
      : limit.kind === 'rate'
        ? rateLimit(address, limit.packetsPerSecond)
        : flowLimit(address, limit.flows),
  );

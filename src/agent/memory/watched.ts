/**
 * Ports at the edges of holes that were found. A light run looks at few ports of a range, and would find a narrow hole in
 * one minute and miss it in the next; what was found once is asked each time, until it is known to be gone. Pure.
 */
import type { Report, ReportRange } from '../../model/report.js';
import { saysNothing } from './digest.js';

/** What is asked again of one range. */
export interface Watched {
  readonly ports: readonly number[];
  /** Looks in a row that found none of it. */
  readonly clean: number;
  /** There are more holes than are watched: that these are gone says nothing of the others. */
  readonly isPart?: true;
}

/** The widest of them; a range with more is a pattern, which every sample meets. */
const MAX_HOLES = 8;

const isFaulty = ({ verdict, tested }: ReportRange): boolean =>
  tested > 0 && (verdict === 'blocked' || verdict === 'altered' || verdict === 'degraded');

/** Both ends of each hole and the ports beside them: its boundaries show at once. The plan leaves out what lies outside. */
const edgesOf = (holes: readonly ReportRange[]): readonly number[] =>
  [...new Set(holes.flatMap(({ from, to, step }) => [from - step, from, to, to + step]))].sort((a, b) => a - b);

const widthOf = ({ from, to }: ReportRange): number => to - from;

/**
 * What to watch after a report.
 * @param keepFor clean looks after which a hole is taken for gone
 */
export const watchAfter = (
  before: Readonly<Record<string, Watched>>,
  report: Report,
  keepFor: number,
): Readonly<Record<string, Watched>> => {
  const watched: Record<string, Watched> = { ...before };
  for (const id of new Set(report.ranges.map((range) => range.id))) {
    const runs = report.ranges.filter((range) => range.id === id);
    if (runs.some(({ reason }) => saysNothing(reason))) continue;
    const faulty = runs.filter(isFaulty);
    const known = watched[id];
    if (faulty.length > 0 && faulty.length < runs.length) {
      const widest = [...faulty].sort((a, b) => widthOf(b) - widthOf(a)).slice(0, MAX_HOLES);
      watched[id] = { ports: edgesOf(widest), clean: 0, ...(faulty.length > MAX_HOLES && { isPart: true as const }) };
    } else if (known && faulty.length > 0) watched[id] = { ...known, clean: 0 };
    else if (known && known.clean + 1 < keepFor) watched[id] = { ...known, clean: known.clean + 1 };
    else delete watched[id];
  }
  return watched;
};

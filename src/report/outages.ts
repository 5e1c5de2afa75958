/** The report's `outages`: when nothing came from a far end that had answered, beyond what its loss explains. */
import type { Report } from '../model/report.js';
import type { RunOutput } from '../model/run.js';
import { endOf } from '../verdict/far-end.js';
import { doubtOfSilence, RANGE_PORT_DOUBT } from '../verdict/silence.js';
import type { StudyFacts } from '../verdict/studies/registry.js';

export type Outages = NonNullable<Report['outages']>;

/** Silences of which the path's loss is no explanation. */
export const outagesOf = (
  { farEnds, begunAtMs }: Pick<RunOutput<StudyFacts>, 'farEnds' | 'begunAtMs'>,
  lossUpperBound: number | null,
): Outages => {
  const offset = (atMs: number): number => Math.max(0, Math.round(atMs - begunAtMs));
  return farEnds
    .flatMap((one) => (endOf(one) === 'cut-off' ? one.silences.slice(0, -1) : one.silences))
    .filter(({ asked }) => doubtOfSilence(asked, lossUpperBound) <= RANGE_PORT_DOUBT)
    .map(({ fromMs, toMs }): Outages[number] => ({
      fromMs: offset(fromMs),
      toMs: toMs === null ? null : offset(toMs),
      what: 'everything',
      direction: null,
    }));
};

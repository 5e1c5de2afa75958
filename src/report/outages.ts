/** The report's `outages`: when nothing came from a far end that had answered, beyond what its loss explains. */
import type { FarEndFacts, Silence } from '../model/far-end.js';
import type { Report } from '../model/report.js';
import type { RunOutput } from '../model/run.js';
import { recurrenceOf } from '../verdict/away.js';
import { endOf } from '../verdict/far-end.js';
import { connectionsDie, flowsDie } from '../verdict/flows.js';
import { isOutage } from '../verdict/silence.js';
import type { StudyFacts } from '../verdict/studies/registry.js';

export type Outages = NonNullable<Report['outages']>;

/** Where flows die, several in a row of those that are asked may be dead ones. */
const DEAD_FLOWS_MS = 5000;

const longerThanFlows =
  ({ flows, connections, limit }: FarEndFacts, lossUpperBound: number | null) =>
  ({ fromMs, toMs, what }: Silence): boolean => {
    // Where no new flow passes, what the line was watched over may have been a new one.
    if (limit?.kind === 'flows' && what !== 'tcp') return false;
    const mayBeDead = what === 'tcp' ? connectionsDie(connections, lossUpperBound) : flowsDie(flows);
    return !mayBeDead || toMs === null || toMs - fromMs > DEAD_FLOWS_MS;
  };

/** Silences of which the path's loss is no explanation. */
export const outagesOf = (
  { farEnds, begunAtMs }: Pick<RunOutput<StudyFacts>, 'farEnds' | 'begunAtMs'>,
  lossUpperBound: number | null,
): Outages => {
  const offset = (atMs: number): number => Math.max(0, Math.round(atMs - begunAtMs));
  const own = (one: FarEndFacts): readonly Silence[] => {
    const silences = endOf(one) === 'cut-off' ? one.silences.slice(0, -1) : one.silences;
    // What a guard does, and what a far end that was restarted missed, has a note of its own, and is no line that was away.
    return recurrenceOf(one, lossUpperBound)?.by === 'guard' || one.isForgetful
      ? silences.filter(({ what }) => what === 'tcp')
      : silences;
  };
  return farEnds
    .flatMap((one) => own(one).filter(longerThanFlows(one, lossUpperBound)))
    .filter((one) => isOutage(one, lossUpperBound))
    .map(({ fromMs, toMs, what }): Outages[number] => ({
      fromMs: offset(fromMs),
      toMs: toMs === null ? null : offset(toMs),
      what,
      direction: null,
    }));
};

/**
 * Adds the ports next to which ranges change from passing to silent. After the samples, because only a proven far end's
 * silence means anything, and only where neighbours differ there is a boundary.
 */
import type { PlannedRange } from '../../model/check.js';
import { portOfRange } from '../../plan/plan.js';
import type { RunState } from '../state.js';
import { refine, suspectPorts } from '../sweep/boundaries.js';

/** Over connections, and where nothing can be swept, port by port. */
const refineRange = async (run: RunState, range: PlannedRange): Promise<void> => {
  const { observations, signal } = run;
  const all = [...observations.all()];
  const sample = range.sample.flatMap(({ key }) => observations.get(key) ?? []);
  const ask = async (port: number) => {
    const question = portOfRange(range, port);
    return observations.get(question.key) ?? run.ask(question);
  };
  await refine(range, sample, suspectPorts(range, all), ask, signal);
};

export const findBoundaries = async (run: RunState): Promise<void> => {
  const addresses = new Set(run.proven().map(({ address }) => address));
  const ranges = run.input.ranges.filter(({ address, sample }) => sample.length > 0 && addresses.has(address ?? ''));
  await Promise.all([
    run.sweeps.explore(ranges, run.observations).then(run.observations.record),
    ...ranges.filter((range) => !run.sweeps.explores(range)).map((range) => refineRange(run, range)),
  ]);
};

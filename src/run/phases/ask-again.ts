/** How phases ask again: those of a sweep together over its sockets, the others each by itself; and both times as one. */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { RunState } from '../state.js';

const sum = (a: Observation['refused'], b: Observation['refused']): Observation['refused'] => {
  const total: Record<string, number> = { ...a };
  for (const [why, count] of Object.entries(b)) total[why] = (total[why] ?? 0) + (count ?? 0);
  return total;
};

/** What was asked at two times, as one observation. */
export const together = (first: Observation, second: Observation): Observation =>
  second.notRun !== null
    ? first
    : {
        ...first,
        attempts: [...first.attempts, ...second.attempts],
        sequences: [...first.sequences, ...second.sequences],
        refused: sum(first.refused, second.refused),
      };

interface AskingAgain {
  /** May leave out what stayed silent. */
  ofSweep(checks: readonly Check[]): Promise<readonly Observation[]>;
  single(check: Check): Promise<Observation>;
}

/** Resolves with what came of it. */
export const askAgain = async (
  { sweeps }: Pick<RunState, 'sweeps'>,
  checks: readonly Check[],
  { ofSweep, single }: AskingAgain,
): Promise<readonly Observation[]> => {
  const [swept, singly] = await Promise.all([
    ofSweep(checks.filter(sweeps.sweeps)),
    Promise.all(checks.filter((check) => !sweeps.sweeps(check)).map(single)),
  ]);
  return [...swept, ...singly];
};

/** The same of what was observed before: resolves with those of which something came, each with both times. */
export const askOn = async (
  run: Pick<RunState, 'sweeps'>,
  before: readonly Observation[],
  how: AskingAgain,
): Promise<readonly Observation[]> => {
  const asked = await askAgain(
    run,
    before.map(({ check }) => check),
    how,
  );
  const again = new Map(asked.map((one) => [one.check.key, one]));
  return before.flatMap((one) => {
    const second = again.get(one.check.key);
    return second ? [together(one, second)] : [];
  });
};

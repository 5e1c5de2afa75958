/** A run's state in a network of the test's own, as a phase finds it. */
import type { PlannedCheck } from '../../../src/model/check.js';
import type { Observation } from '../../../src/model/observation.js';
import type { RunInput } from '../../../src/model/run.js';
import type { Net } from '../../../src/run/net.js';
import { openRun, type RunState } from '../../../src/run/state.js';
import { TOKEN } from '../../support/pure-reflector.js';
import { ADDRESS, check } from '../../verdict/support/facts.js';
import { inputOf, NEVER } from './context.js';

export const planned = (name: string): PlannedCheck => ({ ...check(name), skip: null });

/** A far end that has given its word and can be asked over STUN's port, and these observations of it. */
export const stateWith = async (
  net: Net,
  observations: readonly Observation[],
  fields: Partial<RunInput> = {},
): Promise<RunState> => {
  const questions = observations.map(({ check: of }): PlannedCheck => ({ ...of, skip: null }));
  const way = planned('stun-binding/udp/3478');
  const state = await openRun(inputOf(questions, TOKEN, fields), NEVER, () => undefined, net);
  state.observations.record(observations);
  state.farEnds.learn(ADDRESS, {
    identity: { info: { version: 'test', udp: [], tcp: [], certificateSha256: null }, control: way },
  });
  state.farEnds.setWays(ADDRESS, [way]);
  return state;
};

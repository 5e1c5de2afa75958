/** What became of a flow that an agent keeps from run to run, as a phone keeps its own. Pure. */
import type { SourcePortFacts } from '../../model/study-facts.js';
import { lossUpperBound } from '../silence.js';
import { answeredOf } from './source-ports.js';
import type { Judge } from './study-check.js';

/**
 * Whether a flow that an agent keeps from run to run is dead while new ones work: state that outlived a change of the
 * outer address, and that every packet of the flow keeps alive. Null where no agent keeps one, or nothing is known.
 */
export const judgeStale = (all: readonly SourcePortFacts[], upperBound: number | null): boolean | null => {
  const [kept] = all;
  const answered = kept ? answeredOf(kept, upperBound) : null;
  return answered === null ? null : !answered;
};

const STALE_NOTE =
  'A flow that this agent keeps open since earlier runs gets no answer, while new ones do: the firewall holds stale state, for example after its public address changed. Phones that keep their flows are cut off until it is cleared.';

export const judge: Judge<SourcePortFacts> = (facts, loss) => {
  const staleState = judgeStale(facts, lossUpperBound(loss));
  return { nat: { staleState }, notes: staleState === true ? [STALE_NOTE] : [] };
};

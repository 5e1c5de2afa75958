/** What became of a flow that an agent keeps from run to run, as a phone keeps its own. Pure. */
import type { SourcePortFacts } from '../../model/study-facts.js';
import { STALE_FLOW } from '../../words/study-notes.js';
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

export const judge: Judge<SourcePortFacts> = (facts, loss) => {
  const staleState = judgeStale(facts, lossUpperBound(loss));
  return { nat: { staleState }, notes: staleState === true ? [STALE_FLOW] : [] };
};

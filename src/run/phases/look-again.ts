/**
 * Adds what has become of ports that had passed: a guard that shuts this host out, and a rule that comes during the run, let
 * the first questions pass and no later ones. A question each where all is as it was; where it is not, as many as prove it.
 */
import type { Observation } from '../../model/observation.js';
import { flowsDie } from '../../verdict/flows.js';
import { askCheck } from '../ask/ask.js';
import type { FarEnd } from '../far-ends.js';
import { passesFromAnywhere } from '../observations.js';
import type { RunState } from '../state.js';

/** A rule about a range is about all of it, or about an end. */
export const LOOKED_AT = 3;

/** The first, the middle and the last port of each range that passed; the sample may be one of thousands. */
const ofRanges = (ranges: RunState['input']['ranges'], passing: readonly Observation[]): readonly Observation[] => {
  const byKey = new Map(passing.map((one) => [one.check.key, one]));
  const looked = ranges.flatMap(({ sample }) => {
    const own = sample.flatMap(({ key }) => byKey.get(key) ?? []).sort((a, b) => a.check.port - b.check.port);
    const at = Array.from({ length: LOOKED_AT }, (_, i) => Math.round((i * (own.length - 1)) / (LOOKED_AT - 1)));
    return [...new Set(at)].flatMap((index) => own[index] ?? []);
  });
  return [...new Set(looked)];
};

/** An answer came over one flow after another had stayed silent: some of its flows die, and a silent one says nothing. */
const losesFlows = ({ attempts }: Observation): boolean => {
  const last = attempts.findLastIndex(({ outcome }) => outcome === 'answer');
  return attempts.slice(0, Math.max(0, last)).some(({ outcome }) => outcome === 'silence');
};

const lookAt = async (run: RunState, { address, facts }: FarEnd): Promise<void> => {
  // Where new flows die or are counted, a silent one says nothing of its port; and of who has ended, none does.
  if (facts.isGone || flowsDie(facts.flows) || run.sweeps.limit(address) !== null) return;
  const { tools, observations } = run;
  const isAway = tools.timeline.isSilent(address, 'udp');
  const passing = observations
    .at(address)
    .filter((one) => passesFromAnywhere(one) && !one.atLast && !(isAway && one.check.transport === 'udp'))
    .filter((one) => !losesFlows(one));
  const singles = passing.filter(({ check }) => !check.isOfRange);
  const ports = ofRanges(run.input.ranges, passing);
  const look = async (one: Observation): Promise<void> => {
    const options = { samples: 1, doubt: run.doubtOf(one.check) };
    const again = await askCheck(one.check, tools.probeOf(one.check.probe), options, tools);
    if (again.notRun !== null || again.attempts.some(({ outcome }) => outcome === 'answer')) return;
    observations.record([{ ...one, atLast: again.attempts }]);
    // What the far end is asked from here on takes a way that passes.
    tools.ways.deaf(one.check);
  };
  await Promise.all([...new Set([...singles, ...ports])].map(look));
};

export const lookAgain = async (run: RunState): Promise<void> => {
  if (run.signal.aborted) return;
  await Promise.all(run.proven().map((farEnd) => lookAt(run, farEnd)));
};

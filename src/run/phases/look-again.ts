/**
 * Adds what has become of ports that had passed: a guard that shuts this host out, and a rule that comes during the run, let
 * the first questions pass and no later ones. A question each where all is as it was; where it is not, as many as prove it.
 */
import type { Observation } from '../../model/observation.js';
import { flowsDie } from '../../verdict/flows.js';
import { askCheck } from '../ask/ask.js';
import type { FarEnd } from '../far-ends.js';
import { passed } from '../observations.js';
import type { RunState } from '../state.js';

/** A rule about a range is about all of it, or about an end. */
const OF_RANGE = 3;

/** The first, the middle and the last port of each range that passed; the sample may be one of thousands. */
const ofRanges = (all: readonly Observation[]): readonly Observation[] => {
  const groups = new Map<string, Observation[]>();
  for (const one of all) {
    const group = `${one.check.probe} ${one.check.transport}`;
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const byPort = group.sort((a, b) => a.check.port - b.check.port);
    const at = Array.from({ length: OF_RANGE }, (_, i) => Math.round((i * (byPort.length - 1)) / (OF_RANGE - 1)));
    return [...new Set(at)].flatMap((index) => byPort[index] ?? []);
  });
};

const lookAt = async (run: RunState, { address, facts }: FarEnd): Promise<void> => {
  // Where new flows die or are counted, a silent one says nothing of its port; and of who has ended, none does.
  if (facts.isGone || flowsDie(facts.flows) || run.sweeps.limit(address) !== null) return;
  const { tools, observations } = run;
  const isAway = tools.timeline.isSilent(address, 'udp');
  const passing = observations
    .at(address)
    .filter((one) => passed(one) && !one.atLast && !(isAway && one.check.transport === 'udp'));
  const [singles, ports] = [false, true].map((wanted) => passing.filter(({ check }) => check.isOfRange === wanted));
  const look = async (one: Observation): Promise<void> => {
    const options = { samples: 1, doubt: run.doubtOf(one.check) };
    const again = await askCheck(one.check, tools.probeOf(one.check.probe), options, tools);
    if (again.notRun !== null || again.attempts.some(({ outcome }) => outcome === 'answer')) return;
    observations.record([{ ...one, atLast: again.attempts }]);
    // What the far end is asked from here on takes a way that passes.
    tools.ways.deaf(one.check);
  };
  await Promise.all([...(singles ?? []), ...ofRanges(ports ?? [])].map(look));
};

export const lookAgain = async (run: RunState): Promise<void> => {
  if (run.signal.aborted) return;
  await Promise.all(run.proven().map((farEnd) => lookAt(run, farEnd)));
};

/**
 * From a sample to exact boundaries, all ranges of an address at once: scouts look for holes, every change is narrowed
 * down to two neighbouring ports, and only what then stands next to a change is asked until its silence is proof. What
 * was asked less is no verdict and is not told: packets grow with the boundaries, not with the range. A port that several
 * ranges hold is asked once, and each of them learns of it.
 */
import { type Check, isWithinRange, type Key, type PlannedRange } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { portOfRange } from '../../plan/plan.js';
import type { Observations } from '../observations.js';
import { type Fate, fateOf, nextPorts, suspectPorts } from './boundaries.js';
import type { Depth } from './depth.js';
import { MAX_SCOUTS, scoutPorts, scoutSpacing } from './scouts.js';
import type { SweepResult } from './sweep.js';

/** Halving by eight, the widest stretch between two scouts of the widest range closes in four; loss adds to that. */
const MAX_ROUNDS = 24;

interface Explored {
  readonly range: PlannedRange;
  /** What is known, and by proof. */
  readonly proven: Map<number, Fate>;
  /** Silent to scouting. */
  readonly hints: Map<number, Observation>;
}

/** For boundaries of passing: silence that is not proven yet leads the search all the same. */
const fatesOf = ({ proven, hints }: Explored): ReadonlyMap<number, Fate> =>
  new Map([
    ...[...hints.keys()].map((port): [number, Fate] => [port, 'silent']),
    ...[...proven].map(([port, fate]): [number, Fate] => [port, fate === 'passes' ? 'passes' : 'silent']),
  ]);

/** Unproven silence next to a port that passes, or at the end of the range, where no neighbour vouches for it. */
const unprovenEdges = (one: Explored): readonly number[] => {
  const known = [...fatesOf(one)].sort(([a], [b]) => a - b);
  return known.flatMap(([port], index) => {
    if (!one.hints.has(port) || one.proven.has(port)) return [];
    const beside = [known[index - 1], known[index + 1]];
    return beside.some((next) => next === undefined || next[1] === 'passes') ? [port] : [];
  });
};

interface Exploring {
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** True once nothing more can be learnt: the run is over, or no new flow passes. */
  readonly stop: () => boolean;
  /** Scouts of all ranges together, at most. */
  readonly scouts?: number | undefined;
}

/**
 * Explores ranges of which a sample is known. Resolves with the observations that came on top.
 * @param ask puts the questions; they go to one address
 */
export const explore = async (
  ranges: readonly PlannedRange[],
  known: Pick<Observations, 'all'>,
  ask: (checks: readonly Check[], depth: Depth) => Promise<SweepResult>,
  { random, stop, scouts = MAX_SCOUTS }: Exploring,
): Promise<readonly Observation[]> => {
  const added: Observation[] = [];
  const explored = ranges.map((range): Explored => ({ range, proven: new Map(), hints: new Map() }));
  const holdersOf = (check: Check): readonly Explored[] => explored.filter(({ range }) => isWithinRange(range, check));
  const learn = (observations: readonly Observation[]): void => {
    for (const observation of observations) {
      const fate = fateOf(observation);
      if (!fate) continue;
      for (const one of holdersOf(observation.check)) one.proven.set(observation.check.port, fate);
    }
  };
  /** True if anything was asked. */
  const askAll = async (portsOf: (one: Explored) => readonly number[], depth: Depth): Promise<boolean> => {
    const checks = new Map<Key, Check>();
    for (const one of explored) {
      for (const port of portsOf(one)) {
        const check = portOfRange(one.range, port);
        checks.set(check.key, check);
      }
    }
    if (checks.size === 0 || stop()) return false;
    const { observations, hints } = await ask([...checks.values()], depth);
    learn(observations);
    added.push(...observations);
    for (const hint of hints) for (const one of holdersOf(hint.check)) one.hints.set(hint.check.port, hint);
    return true;
  };
  const before = [...known.all()];
  learn(before);
  const width = scoutSpacing(ranges, scouts);
  await askAll(({ range, proven }) => scoutPorts(range, width, random).filter((port) => !proven.has(port)), 'scout');
  const met = [...before, ...added];
  await askAll(({ range, proven, hints }) => {
    const silent = explored.flatMap((other) =>
      other.range === range ? [] : [...other.hints.keys()].filter((port) => unprovenEdges(other).includes(port)),
    );
    const nearby = silent.map((port) => range.from + range.step * Math.round((port - range.from) / range.step));
    return [...new Set([...suspectPorts(range, met), ...nearby])].filter(
      (port) => port >= range.from && port <= range.to && !proven.has(port) && !hints.has(port),
    );
  }, 'scout');
  for (let round = 0; round < MAX_ROUNDS && !stop(); round += 1) {
    if (await askAll((one) => nextPorts(fatesOf(one), one.range.step), 'scout')) continue;
    if (await askAll(unprovenEdges, 'certain')) continue;
    // Passing is settled; what is rejected here and dropped there has a boundary of its own.
    if (!(await askAll(({ range, proven }) => nextPorts(proven, range.step), 'certain'))) break;
  }
  // Cut short: what was silent so far must not be taken for a part of what passes around it.
  const cut = new Map<Key, Observation>();
  if (stop()) {
    for (const { hints, proven } of explored) {
      for (const [port, hint] of hints) if (!proven.has(port)) cut.set(hint.check.key, hint);
    }
  }
  return [...added, ...cut.values()];
};

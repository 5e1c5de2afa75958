/**
 * From a sample of a range to its boundaries: wherever two neighbouring ports of the sample fare differently, the ports
 * between them are asked, until the change lies between two adjacent ports. What this costs grows with the number of
 * boundaries and not with the size of the range.
 */
import { isWithinRange, type PortRange } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';

/** How a port fared, as far as boundaries are concerned. */
export type Fate = 'passes' | 'silent' | 'refused';

/** Ports asked between two that differ, in one round: a silent port takes seconds, so many at once beat halving. */
const PORTS_PER_GAP = 7;
/** Gaps followed in one round. A range with more boundaries is a pattern, or a path that loses packets at random. */
const MAX_GAPS = 64;
/** As many as a whole sample, should all of it have failed. */
const MAX_SUSPECTS = 18;
/** With seven ports a round the widest gap of a sample (65,535 / 17) closes in four. */
const MAX_ROUNDS = 4;

/** What a port's observation says about its fate, or null if it was not asked. */
export const fateOf = ({ attempts, notRun }: Observation): Fate | null => {
  if (notRun !== null || attempts.length === 0) return null;
  if (attempts.some(({ outcome }) => outcome === 'answer')) return 'passes';
  return attempts.some(({ outcome }) => outcome === 'error') ? 'refused' : 'silent';
};

/** The ports to ask next: evenly spread between neighbours of different fate, none that is known already. */
export const nextPorts = (fates: ReadonlyMap<number, Fate>, step: number): readonly number[] => {
  const known = [...fates].sort(([a], [b]) => a - b);
  const gaps = known.flatMap(([port, fate], index): [number, number][] => {
    const next = known[index + 1];
    return next && next[1] !== fate && next[0] - port > step ? [[port, next[0]]] : [];
  });
  return gaps.slice(0, MAX_GAPS).flatMap(([low, high]) => {
    const between = (high - low) / step - 1;
    const count = Math.min(PORTS_PER_GAP, between);
    const ports = Array.from(
      { length: count },
      (_, index) => low + step * Math.round(((index + 1) * (between + 1)) / (count + 1)),
    );
    return [...new Set(ports)];
  });
};

/**
 * Ports next to one that failed in another range: RTP and RTCP take turns, so a hole that the sample of one has met is
 * looked for in the other as well.
 */
export const suspectPorts = (range: PortRange, observations: readonly Observation[]): readonly number[] => {
  const failed = observations
    .filter(({ check }) => check.isOfRange && check.address === range.address && !isWithinRange(range, check))
    .filter((observation) => fateOf(observation) !== 'passes' && fateOf(observation) !== null)
    .map(({ check }) => check.port);
  const nearest = failed.map((port) => range.from + range.step * Math.round((port - range.from) / range.step));
  return [...new Set(nearest)].filter((port) => port >= range.from && port <= range.to).slice(0, MAX_SUSPECTS);
};

/**
 * Asks until every boundary is exact, or the rounds are used up. Resolves with the observations that came on top.
 * @param suspects ports to ask in any case, before the first round
 * @param ask puts the question of this range to one port
 */
export const refine = async (
  range: Pick<PortRange, 'step'>,
  sample: readonly Observation[],
  suspects: readonly number[],
  ask: (port: number) => Promise<Observation>,
  signal: AbortSignal,
): Promise<readonly Observation[]> => {
  const added: Observation[] = [];
  const fates = new Map<number, Fate>();
  const learn = (observations: readonly Observation[]): void => {
    for (const observation of observations) {
      const fate = fateOf(observation);
      if (fate) fates.set(observation.check.port, fate);
    }
  };
  const askAll = async (ports: readonly number[]): Promise<void> => {
    const asked = await Promise.all(ports.map(ask));
    learn(asked);
    added.push(...asked);
  };
  learn(sample);
  await askAll(suspects.filter((port) => !fates.has(port)));
  for (let round = 0; round < MAX_ROUNDS && !signal.aborted; round += 1) {
    const ports = nextPorts(fates, range.step);
    if (ports.length === 0) break;
    await askAll(ports);
  }
  return added;
};

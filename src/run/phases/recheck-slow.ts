/**
 * Asks a check once more whose every answer took far longer than those of others at the same address. A path is slow for
 * all that takes it, and slow again a moment later; a host that was busy for a moment is not.
 */
import type { Observation } from '../../model/observation.js';
import { SAMPLES } from '../../plan/plan.js';
import { askCheck } from '../ask/ask.js';
import { type Settling, together } from './ask-until-certain.js';

/** Longer than protocols differ at one far end, and short beside what calls bear (150 ms, ITU-T G.114). */
const NOTABLY_MS = 25;

/** The shortest round trip of an observation, in milliseconds; null where none was measured. */
const shortest = ({ attempts }: Observation): number | null => {
  let least: number | null = null;
  for (const attempt of attempts) {
    if (attempt.outcome !== 'answer' || attempt.rttMs === null) continue;
    least = Math.min(least ?? attempt.rttMs, attempt.rttMs);
  }
  return least;
};

/**
 * Ports of a range are judged together, by the shortest of all. Whoever answered fewer than were wanted asked not to be
 * asked more: an answer of IKE holds an SA half open there.
 */
const mayBeAsked = ({ check, attempts }: Observation): boolean =>
  check.rangeId === null && attempts.filter(({ outcome }) => outcome === 'answer').length >= SAMPLES.single;

/** Resolves with the same observations in the same order, those completed that were asked again. */
export const lookAgain = async (
  observations: readonly Observation[],
  { context, path, probeOf, doubtOf, signal }: Settling,
): Promise<readonly Observation[]> => {
  const floors = new Map<string | null, number>();
  for (const one of observations) {
    const least = shortest(one);
    const floor = floors.get(one.check.address) ?? Number.POSITIVE_INFINITY;
    if (least !== null && least < floor) floors.set(one.check.address, least);
  }
  const isSlow = (one: Observation): boolean => {
    const least = shortest(one);
    return least !== null && least > (floors.get(one.check.address) ?? 0) + NOTABLY_MS;
  };
  return Promise.all(
    observations.map(async (one) => {
      if (signal.aborted || !mayBeAsked(one) || !isSlow(one)) return one;
      const { check } = one;
      // Under a name of its own, because what it was asked before stays counted.
      const again = { ...check, id: `${check.id} again` };
      const options = { samples: SAMPLES.single, doubt: doubtOf(check) };
      return together(one, await askCheck(again, probeOf(check.probe), context, path, options, signal));
    }),
  );
};

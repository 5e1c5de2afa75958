/**
 * Asks a check once more whose every answer took far longer than those of others at the same address. A path is slow for
 * all that takes it, and slow again a moment later; a host that was busy for a moment is not. After everything else,
 * because the shortest round trips of an address are known by then.
 */
import type { Observation } from '../../model/observation.js';
import { askCheck } from '../ask/ask.js';
import { type RunState, SAMPLES } from '../state.js';
import { together } from './ask-again.js';

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
  !check.isOfRange && attempts.filter(({ outcome }) => outcome === 'answer').length >= SAMPLES.single;

/** Those of one address that are slow beside the quickest there. */
const slowAmong = (all: readonly Observation[]): readonly Observation[] => {
  const floor = all.reduce((least, one) => Math.min(least, shortest(one) ?? least), Number.POSITIVE_INFINITY);
  return all.filter((one) => mayBeAsked(one) && (shortest(one) ?? floor) > floor + NOTABLY_MS);
};

export const recheckSlow = async (run: RunState): Promise<void> => {
  const { tools, observations, doubtOf } = run;
  const slow = run.proven().flatMap(({ address }) => slowAmong(observations.at(address)));
  if (run.signal.aborted) return;
  await Promise.all(
    slow.map(async (one) => {
      const { check } = one;
      const options = { samples: SAMPLES.single, doubt: doubtOf(check) };
      observations.record([together(one, await askCheck(check, tools.probeOf(check.probe), options, tools))]);
    }),
  );
};

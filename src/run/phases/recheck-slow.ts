/**
 * Asks a check once more whose every answer took far longer than those of others at the same address. A path is slow for
 * all that takes it, and slow again a moment later; a host that was busy for a moment is not. After everything else,
 * because the shortest round trips of an address are known by then. The ports of a range are asked once each, so that all of a slow
 * range are first packets of their flows: of these, one is asked for what the later packets of a flow take.
 */
import { isWithinRange } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { askCheck } from '../ask/ask.js';
import { HELD_MS } from '../ask/examined-flow.js';
import { askSettled } from '../ask/settled-flow.js';
import { unlessLineLost } from '../line-lost.js';
import { passed } from '../observations.js';
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

/** A flow may be dead: so many ports are asked in turn until one answers. */
const SETTLED_WAYS = 2;

/** Ports of a slow range; none where it is as quick as what else is there. */
const slowRange = (ports: readonly Observation[], floorMs: number): readonly Observation[] => {
  const passing = ports.filter(passed);
  const sorted = passing.flatMap((one) => shortest(one) ?? []).sort((a, b) => a - b);
  const [least = floorMs] = sorted;
  const median = sorted[sorted.length >> 1] ?? floorMs;
  if (least <= floorMs + NOTABLY_MS && median <= floorMs + HELD_MS) return [];
  const middle = passing.length >> 1;
  return passing.slice(middle, middle + SETTLED_WAYS);
};

/** Adds what later packets of a flow take to one port of each slow range. */
const settleRanges = async ({ input, tools, observations, signal }: RunState, address: string): Promise<void> => {
  const all = observations.at(address);
  const floorMs = all.reduce((least, one) => Math.min(least, shortest(one) ?? least), Number.POSITIVE_INFINITY);
  const slow = input.ranges
    .filter(({ transport }) => transport === 'udp')
    .map((range) =>
      slowRange(
        all.filter(({ check }) => isWithinRange(range, check)),
        floorMs,
      ),
    );
  await Promise.all(
    slow.map(async (ports) => {
      for (const one of ports) {
        const settledRttsMs = signal.aborted ? null : await askSettled(one.check, tools);
        if (settledRttsMs === null) continue;
        observations.record([{ ...one, settledRttsMs }]);
        return;
      }
    }),
  );
};

export const recheckSlow = async (run: RunState): Promise<void> => {
  const { tools, observations, doubtOf } = run;
  await Promise.all(run.proven().map(({ address }) => settleRanges(run, address).catch(unlessLineLost(run.signal))));
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

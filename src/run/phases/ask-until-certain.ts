/**
 * Asks silent checks further where the path has turned out to lose more than was known when they were given up. What is
 * learnt late must not leave a verdict short of the certainty that it needs.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { doubtOfSilence } from '../../verdict/silence.js';
import { askCheck, MAX_SILENT_PACKETS } from '../ask/ask.js';
import type { AskContext } from '../ask/transactions.js';
import type { Path } from '../path.js';

/** Each round adds to the sample and may move the bound again, by less each time. */
const MAX_ROUNDS = 3;

const sum = (a: Observation['refused'], b: Observation['refused']): Observation['refused'] => {
  const total: Record<string, number> = { ...a };
  for (const [why, count] of Object.entries(b)) total[why] = (total[why] ?? 0) + (count ?? 0);
  return total;
};

/** What was asked at two times, as one observation. */
export const together = (first: Observation, second: Observation): Observation =>
  second.notRun !== null
    ? first
    : {
        ...first,
        attempts: [...first.attempts, ...second.attempts],
        sequences: [...first.sequences, ...second.sequences],
        refused: sum(first.refused, second.refused),
      };

/** Unanswered packets of a check that met nothing but silence; 0 for every other. */
const silentPackets = ({ attempts, notRun }: Observation): number =>
  notRun === null && attempts.every(({ outcome }) => outcome === 'silence')
    ? attempts.reduce((packets, attempt) => packets + attempt.packets, 0)
    : 0;

export interface Settling {
  readonly context: AskContext;
  readonly path: Path;
  readonly probeOf: (kind: Check['probe']) => Probe;
  readonly doubtOf: (check: Check) => number;
  /** Asks checks of a sweep, all at once over one socket; others, and all where it is left out, are asked one by one. */
  readonly sweep?: {
    readonly takes: (check: Check) => boolean;
    readonly ask: (checks: readonly Check[]) => Promise<readonly Observation[]>;
  };
  readonly signal: AbortSignal;
}

/** How much of its silence is evidence: of packets that arrived, those that the far end answered. */
const evidenceOf = (one: Observation): number => {
  const packets = silentPackets(one);
  return packets > 0 && one.seen !== null && one.seen > 0 ? (one.answered ?? one.seen) : packets;
};

/** Asks those further whose silence proves too little, and where more of it would prove enough; others stay as they are. */
const askFurther = async (
  observations: readonly Observation[],
  isShort: (one: Observation) => boolean,
  bound: number,
  { context, path, probeOf, doubtOf, sweep, signal }: Settling,
): Promise<readonly Observation[]> => {
  const wanted = (one: Observation): boolean =>
    isShort(one) && doubtOfSilence(MAX_SILENT_PACKETS, bound) <= doubtOf(one.check);
  const ofSweep = observations.filter((one) => sweep?.takes(one.check) && wanted(one)).map(({ check }) => check);
  const swept = new Map((await sweep?.ask(ofSweep))?.map((one) => [one.check.id, one]));
  return Promise.all(
    observations.map(async (one) => {
      if (sweep?.takes(one.check)) {
        const again = swept.get(one.check.id);
        return again ? together(one, again) : one;
      }
      if (!wanted(one)) return one;
      const { check } = one;
      const options = { samples: 1, doubt: doubtOf(check), alreadySilent: evidenceOf(one) };
      return together(one, await askCheck(check, probeOf(check.probe), context, path, options, signal));
    }),
  );
};

const isShortAt =
  (bound: number, { doubtOf }: Settling) =>
  (one: Observation): boolean => {
    const evidence = evidenceOf(one);
    return evidence > 0 && evidence < MAX_SILENT_PACKETS && doubtOfSilence(evidence, bound) > doubtOf(one.check);
  };

/** Resolves with the same observations in the same order, those completed that needed it. */
export const settle = async (
  observations: readonly Observation[],
  settling: Settling,
): Promise<readonly Observation[]> => {
  let settled = observations;
  for (let round = 0; round < MAX_ROUNDS && !settling.signal.aborted; round += 1) {
    const bound = settling.path.upperBound();
    // Where even the most that is ever sent proves nothing, more of it proves nothing either.
    if (bound === null) break;
    const isShort = isShortAt(bound, settling);
    if (!settled.some(isShort)) break;
    settled = await askFurther(settled, isShort, bound, settling);
  }
  return settled;
};

/**
 * The same once the far end has told what arrived: where answers are dropped, only the packets that got there prove it,
 * and chance may have let too few get there. Those are asked once more; what arrived of that is to be asked again.
 */
export const settleArrived = async (
  observations: readonly Observation[],
  settling: Settling,
): Promise<readonly Observation[]> => {
  const bound = settling.path.upperBound();
  if (bound === null || settling.signal.aborted) return observations;
  const isShort = isShortAt(bound, settling);
  const hasArrived = (one: Observation): boolean => one.seen !== null && one.seen > 0 && isShort(one);
  return observations.some(hasArrived) ? askFurther(observations, hasArrived, bound, settling) : observations;
};

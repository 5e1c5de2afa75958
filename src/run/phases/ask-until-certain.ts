/**
 * Asks silent checks further where the path has turned out to lose more than was known when they were given up. What is
 * learnt late must not leave a verdict short of the certainty that it needs.
 */
import type { Observation } from '../../model/observation.js';
import { doubtOfSilence } from '../../verdict/silence.js';
import { askCheck, MAX_SILENT_PACKETS } from '../ask/ask.js';
import { isSilent, witnessedPackets } from '../observations.js';
import type { RunState } from '../state.js';
import { askOn } from './ask-again.js';

/** Each round adds to the sample and may move the bound again, by less each time. */
const MAX_ROUNDS = 3;

/** How much of a check's silence is evidence, in packets: of those that arrived it is known that each was answered. */
const evidenceOf = (one: Observation, { tools }: Pick<RunState, 'tools'>): number => {
  const packets = witnessedPackets(one, tools);
  return one.seen !== null && one.seen > 0 ? Math.min(one.answered ?? one.seen, packets) : packets;
};

/** Refused or silent while the line was away, all of it: whatever said no then said it of everything. */
const metOutage = ({ check, attempts }: Observation, { tools: { timeline } }: Pick<RunState, 'tools'>): boolean =>
  attempts.length > 0 &&
  attempts.every(
    ({ outcome, lostAtMs }) =>
      outcome !== 'answer' &&
      lostAtMs.length > 0 &&
      timeline.unwitnessed(check.address ?? '', lostAtMs, check.transport, check.port) === lostAtMs.length,
  );

/** Whether its silence proves too little, and more of it would prove enough. */
const isShortAt =
  (bound: number, run: RunState) =>
  (one: Observation): boolean => {
    if (metOutage(one, run)) return true;
    if (!isSilent(one)) return false;
    const evidence = evidenceOf(one, run);
    const doubt = run.doubtOf(one.check);
    const isShort = evidence < MAX_SILENT_PACKETS && doubtOfSilence(evidence, bound) > doubt;
    return isShort && doubtOfSilence(MAX_SILENT_PACKETS, bound) <= doubt;
  };

/** Asks them further. Resolves with what they are by then. */
const askFurther = (run: RunState, short: readonly Observation[]): Promise<readonly Observation[]> => {
  const { tools, sweeps } = run;
  const silentOf = new Map(short.map((one) => [one.check.key, evidenceOf(one, run)]));
  return askOn(run, short, {
    ofSweep: sweeps.again,
    single: (check) => {
      const options = { samples: 1, doubt: run.doubtOf(check), alreadySilent: silentOf.get(check.key) ?? 0 };
      return askCheck(check, tools.probeOf(check.probe), options, tools);
    },
  });
};

/**
 * Asks until nothing is short of certainty, or the rounds are used up. With `arrivedOnly`, once the far end has told what
 * arrived: where answers are dropped, only the packets that got there prove it, and chance may have let too few get there.
 * Those are asked once more. @returns what was asked further
 */
export const askUntilCertain = async (
  run: RunState,
  { arrivedOnly = false }: { readonly arrivedOnly?: boolean } = {},
): Promise<readonly Observation[]> => {
  const addresses = new Set(run.proven().map(({ address }) => address));
  const further = new Map<Observation['check']['key'], Observation>();
  for (let round = 0; round < (arrivedOnly ? 1 : MAX_ROUNDS) && !run.signal.aborted; round += 1) {
    const bound = run.tools.path.upperBound();
    // Where even the most that is ever sent proves nothing, more of it proves nothing either.
    if (bound === null) break;
    const isShort = isShortAt(bound, run);
    const short = [...run.observations.all()].filter(
      (one) =>
        addresses.has(one.check.address ?? '') && (!arrivedOnly || (one.seen !== null && one.seen > 0)) && isShort(one),
    );
    if (short.length === 0) break;
    const asked = await askFurther(run, short);
    run.observations.record(asked);
    for (const one of asked) further.set(one.check.key, one);
  }
  return [...further.values()];
};

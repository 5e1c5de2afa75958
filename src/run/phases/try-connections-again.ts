/**
 * Adds what comes of silent connections that are asked again, where nothing was answered over any as long as they were asked:
 * UDP may live while TCP is away for some seconds. Late, so that the seconds are over; and once more when all else is done,
 * then also of what was refused.
 */
import type { Observation } from '../../model/observation.js';
import { askCheck } from '../ask/ask.js';
import { isSilent, passed } from '../observations.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';
import { together } from './ask-again.js';

/** Spread over two seconds, beyond which a fail-over is noticed anyway. */
const ATTEMPTS = 3;
const LAST_ATTEMPTS = 2;

/** Whether all of it was asked before anything came over a connection. */
const isBeforeAny = ({ check, attempts }: Observation, timeline: Tools['timeline']): boolean => {
  const [first] = timeline.answersOverConnections(check.address ?? '');
  return first === undefined || attempts.every(({ lostAtMs }) => lostAtMs.every((atMs) => atMs < first));
};

/** Nothing but silence and refusals met it: whoever refuses connections for a moment does so before they stand. */
const isRefused = ({ attempts, notRun }: Observation): boolean =>
  notRun === null && attempts.length > 0 && attempts.every(({ outcome }) => outcome !== 'answer');

/** @param last the run is nearly over: whatever is silent is asked once more, as a phone would after a pause */
export const tryConnectionsAgain = async (run: RunState, { last = false } = {}): Promise<void> => {
  const { tools, observations } = run;
  const failed = run
    .proven()
    .flatMap(({ address }) => observations.at(address))
    .filter(
      (one) =>
        one.check.transport !== 'udp' && (last ? isRefused(one) : isSilent(one) && isBeforeAny(one, tools.timeline)),
    );
  await Promise.all(
    failed.map(async (one) => {
      const options = { samples: 1, doubt: run.doubtOf(one.check), atMost: last ? LAST_ATTEMPTS : ATTEMPTS };
      const again = await askCheck(one.check, tools.probeOf(one.check.probe), options, tools);
      const both = together(one, again);
      // Receipts were fetched before: of what passes only now the far end has told nothing.
      observations.record([last && passed(again) ? { ...both, seen: null, answered: null } : both]);
    }),
  );
};

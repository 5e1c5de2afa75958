/**
 * Adds whether a far end that was silent for a time remembers what it had answered before: one that does not was restarted
 * meanwhile, and its silence is its own and none of the line's. When all else is done.
 */

import type { Observation } from '../../model/observation.js';
import { askReceipts } from '../ask/receipts.js';
import type { FarEnd } from '../far-ends.js';
import { unlessLineLost } from '../line-lost.js';
import { passed } from '../observations.js';
import type { RunState } from '../state.js';

/** Of what was answered, the first ones; a reflector forgets none of a session's last 131,072. */
const MAX_RECALLED = 8;

/** Nothing of it was lost. */
const isWhole = ({ outcome, lostAtMs }: Observation['attempts'][number]): boolean =>
  outcome === 'answer' && lostAtMs.length === 0;

const recall = async (run: RunState, { address, ways }: FarEnd): Promise<void> => {
  const { tools } = run;
  const wasSilent = tools.timeline.silences(address, tools.path.lateMs('udp')).some(({ toMs }) => toMs !== null);
  const answered = run.observations
    .at(address)
    // Where something was lost as well, nobody knows which of its numbers were answered.
    .filter((one) => passed(one) && one.check.transport === 'udp' && one.attempts.every(isWhole))
    .flatMap(({ sequences }) => sequences)
    .sort((a, b) => a - b)
    .slice(0, MAX_RECALLED);
  if (!wasSilent || answered.length === 0) return;
  // A number that was never sent: that one it can tell whatever it has forgotten.
  const fresh = tools.nextSequence();
  const { told } = await askReceipts([...answered, fresh], ways, tools);
  const isKnown = (sequence: number): boolean => (told.get(sequence)?.arrived ?? 0) > 0;
  if (told.has(fresh) && !answered.some(isKnown)) run.farEnds.learn(address, { isForgetful: true });
};

export const recallMemory = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => recall(run, farEnd).catch(unlessLineLost(run.signal))));
};

/**
 * Adds whether a far end that had given its word still gives it, before silence, refusal or loss is held against anybody:
 * whether it could read all that came is known only afterwards, and one that has ended meanwhile was silent for its own
 * reasons. After everything else was asked of it.
 */
import type { Observation } from '../../model/observation.js';
import type { FarEnd } from '../far-ends.js';
import type { RunState } from '../state.js';
import { askWhoIsThere } from './identify.js';

/** All answer alike, so one is enough; the others are for the case that it is lost. */
const MAX_WAYS = 3;

/** Whether some of what was sent had no answer. */
const isIncomplete = ({ attempts, atLast }: Observation): boolean =>
  atLast !== undefined || attempts.some((one) => one.packets > (one.outcome === 'answer' ? one.answers : 0));

const confirm = async (run: RunState, { address, facts, ways }: FarEnd): Promise<void> => {
  const { tools, farEnds, signal } = run;
  const isQuiet = tools.timeline.isSilent(address, 'udp');
  if (!isQuiet && !run.observations.at(address).some(isIncomplete)) return;
  const { facts: now, isRefusing } = await askWhoIsThere(ways.slice(0, MAX_WAYS), tools);
  // Where all that is long is lost it tells of fewer ports than it had at first.
  if (now.identity)
    return farEnds.learn(address, now.identity.info.isCut ? { ...now, identity: facts.identity ?? now.identity } : now);
  // Where the run's time is over nobody was asked; then it counts how long nothing had come.
  const isGone = !signal.aborted || tools.timeline.isDeaf(address, 'tcp');
  if (facts.identity && isGone) farEnds.learn(address, { isGone: true, isRefusing });
};

export const confirmAlive = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => confirm(run, farEnd)));
};

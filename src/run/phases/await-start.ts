/**
 * Whether a reflector came up while it was asked. Until then, and while it opens its ports, its host refuses, keeps datagrams
 * for later and loses others; what it reads of those it cannot trust, and it answers them as a stranger's. None of this is the
 * path's, so that such a run begins anew.
 */
import { CERTAIN_START_MS, startedAtMsOf } from '../../verdict/start.js';
import type { RunState } from '../state.js';
import { identifyAgain } from './identify.js';

/** So long after its start even a busy host has opened thousands of ports in all of a reflector's processes. */
const SETTLED_AFTER_MS = 3000;

/** What follows takes several times as long as what was asked until then. */
const LEAST_LEFT = 3;

/** The latest start during this run, on the run's clock; null where no reflector came up. */
const latestStart = (run: RunState): number | null => {
  const { net } = run.tools;
  const behindMs = Number(net.nowMicros()) / 1000 - net.now();
  const starts = run.farEnds.all().flatMap(({ address, facts: { identity } }) => {
    const atMs = startedAtMsOf(identity?.info, run.observations.at(address), [address]);
    return atMs === null ? [] : [atMs - behindMs];
  });
  const during = starts.filter((atMs) => atMs - run.begunAtMs > CERTAIN_START_MS && atMs <= net.now());
  return during.length > 0 ? Math.max(...during) : null;
};

/** Resolves with whether one came up that can be asked anew in the time that is left; then once it has opened its ports. */
export const awaitStart = async (run: RunState): Promise<boolean> => {
  const { net, signal } = run.tools;
  if (run.proven().some(({ facts }) => facts.identity === null)) await identifyAgain(run);
  const startedAtMs = latestStart(run);
  if (startedAtMs === null || signal.aborted) return false;
  const settledAtMs = Math.max(net.now(), startedAtMs + SETTLED_AFTER_MS);
  const spentMs = settledAtMs - run.begunAtMs;
  // Better a run that is told to be in part about a start than one that is cut short.
  if (run.input.timeoutMs < spentMs + LEAST_LEFT * (net.now() - run.begunAtMs)) return false;
  await net.sleep(settledAtMs - net.now(), signal).catch(() => undefined);
  return !signal.aborted;
};

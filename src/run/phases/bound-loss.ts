/**
 * The control without which nothing is blamed: a way to a reflector that is known to pass, asked again until the path's
 * loss is bounded tightly enough for silence elsewhere to mean something. Where many checks answer it has nothing to do.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import { SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import type { AskContext } from '../ask/transactions.js';
import type { Path } from '../path.js';

/** Below this bound a handful of silent packets is proof (0.15^5 < 1e-4). */
const TIGHT_ENOUGH = 0.15;
/** Answers asked for at a time, and how many times: twenty without a loss give a bound of 0.14. */
const ANSWERS_A_ROUND = 4;
const MAX_ROUNDS = 6;
/** What it sends at most where nothing is lost. */
export const MAX_CONTROL_PACKETS = ANSWERS_A_ROUND * MAX_ROUNDS;
/** The checks themselves usually tell enough within this time. */
const HEAD_START_MS = 500;
const OVER = new Error('the checks are done');

/** Asks over `way` until the loss is bounded, the rounds are used up, or the signal fires. `checked`: the checks are done. */
export const askControl = async (
  way: Check,
  udpEcho: Probe,
  context: AskContext,
  path: Path,
  checked: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> => {
  const done = new AbortController();
  const stop = (): void => done.abort(OVER);
  void checked.then(stop, stop);
  const either = AbortSignal.any([signal, done.signal]);
  await context.net.sleep(HEAD_START_MS, either).catch(() => undefined);
  for (let round = 0; round < MAX_ROUNDS && !signal.aborted; round += 1) {
    if ((path.upperBound() ?? 1) <= TIGHT_ENOUGH) return;
    const check: Check = { ...way, id: `control${round}@${way.id}`, probe: 'udp-echo' };
    const options = { samples: ANSWERS_A_ROUND, doubt: SINGLE_CHECK_DOUBT, atMost: 2 };
    // A round that is under way when the checks are done may no longer be needed.
    await askCheck(check, udpEcho, context, path, options, done.signal.aborted ? signal : either);
  }
};

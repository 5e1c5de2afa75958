/**
 * Bounds the path's loss, without which nothing is blamed: a way that is known to pass is asked again until the bound is
 * tight enough for silence elsewhere to mean something. Beside the checks, and only as long as they do not tell enough
 * themselves.
 */
import type { Check } from '../../model/check.js';
import { SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import type { RunState } from '../state.js';

/** Below this bound a handful of silent packets is proof (0.15^5 < 1e-4). */
const TIGHT_ENOUGH = 0.15;
/** Answers asked for at a time, and how many times: twenty without a loss give a bound of 0.14. */
const ANSWERS_A_ROUND = 4;
const MAX_ROUNDS = 6;
/** What it sends at most where nothing is lost. */
export const MAX_CONTROL_PACKETS = ANSWERS_A_ROUND * MAX_ROUNDS;
/** The checks themselves usually tell enough within this time. */
const HEAD_START_MS = 500;

/** Asks over `way` until the loss is bounded, the rounds are used up, or the run ends. */
export const boundLoss = async ({ tools, observations }: RunState, way: Check): Promise<void> => {
  const { net, path, probeOf } = tools;
  const { ended } = observations;
  const either = AbortSignal.any([tools.signal, ended]);
  await net.sleep(HEAD_START_MS, either).catch(() => undefined);
  for (let round = 0; round < MAX_ROUNDS && !tools.signal.aborted; round += 1) {
    if ((path.upperBound() ?? 1) <= TIGHT_ENOUGH) return;
    // A round that is under way when the checks are done may no longer be needed.
    const signal = ended.aborted ? tools.signal : either;
    const options = { samples: ANSWERS_A_ROUND, doubt: SINGLE_CHECK_DOUBT, atMost: 2, signal };
    await askCheck({ ...way, probe: 'udp-echo' }, probeOf('udp-echo'), options, tools);
  }
};

/**
 * Adds the UDP ports on which a bare tag passes although the check's own protocol stayed silent: inspection, not a closed
 * port. After the boundaries, so that silent ports found there are tried as well.
 */
import type { Check } from '../../model/check.js';
import { SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import { isSilent, passed } from '../observations.js';
import type { RunState } from '../state.js';
import { askAgain } from './ask-again.js';

/** A discriminator only has to pass once; it is no evidence when it stays silent. */
export const DISCRIMINATOR = { samples: 1, doubt: SINGLE_CHECK_DOUBT, atMost: 4 } as const;
/** Enough to see inspection at work; an exhaustive sweep may find thousands of silent ports. */
const MAX_DISCRIMINATED = 64;

const otherBytesAt = async (run: RunState, address: string): Promise<void> => {
  const { tools, sweeps } = run;
  const questions = run.observations
    .at(address)
    .filter((one) => isSilent(one) && one.check.transport === 'udp' && one.check.probe !== 'udp-echo')
    .slice(0, MAX_DISCRIMINATED)
    .map(({ check }): Check => ({ ...check, probe: 'udp-echo' }));
  const asked = await askAgain(run, questions, {
    ofSweep: sweeps.echo,
    single: (check) => askCheck(check, tools.probeOf('udp-echo'), DISCRIMINATOR, tools),
  });
  run.farEnds.learn(address, { otherBytesPorts: asked.filter(passed).map(({ check }) => check.port) });
};

export const tryOtherBytes = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map(({ address }) => otherBytesAt(run, address)));
};

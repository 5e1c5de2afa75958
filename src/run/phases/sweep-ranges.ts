/**
 * Adds the observations of the ranges' samples that a reflector answers over UDP, asked over shared sockets. Beside the
 * checks, because both take the time of their silence; its experiments wait until `besides` has ended, so that they
 * measure themselves alone.
 */
import type { RunState } from '../state.js';

export const sweepRanges = async (run: RunState, besides: Promise<unknown>): Promise<void> => {
  run.observations.record(await run.sweeps.sample(besides));
};

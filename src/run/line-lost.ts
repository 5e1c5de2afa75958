/**
 * What looks into more than is known already adds nothing where the run ended, or where this host has no way out any more: a lost
 * uplink must not take with it what was found before.
 */
import { isSocketError } from '../net/errno.js';

/** Takes a rejection. @throws whatever is neither the run's end nor a socket's failure */
export const unlessLineLost =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted && !isSocketError(error)) throw error;
  };

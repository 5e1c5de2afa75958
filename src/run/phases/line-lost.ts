/**
 * A phase that looks into what is known already adds nothing where the run ended, or where this host has no way out any more: a lost
 * uplink must not take with it what was found before.
 */

/** Sockets tell what happened to them as plain objects (net/errno.ts); an Error is a defect of ours. */
const isOfSocket = (error: unknown): boolean => !(error instanceof Error);

/** Takes a phase's rejection. @throws whatever is neither the run's end nor a socket's failure */
export const unlessLineLost =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted && !isOfSocket(error)) throw error;
  };

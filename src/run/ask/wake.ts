/** Waits for news, but not for longer than a while. Made for the hot path: thousands of waits make up a run. */
import type { Net } from '../net.js';

export interface Bell {
  /** Ends the wait that is under way; without one nothing happens. */
  ring(): void;
  /** Resolves when the bell rings or after `ms`. @throws the signal's reason when it fires */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Given with every abort: without a reason each would make an exception with its stack. */
const HEARD = new Error('heard');

export const createBell = (sleep: Net['sleep']): Bell => {
  let ring = (): void => undefined;
  return {
    ring: () => ring(),
    wait: async (ms, signal) => {
      const rest = new AbortController();
      // AbortSignal.any would do, and takes ten times as long as this.
      const stop = (): void => rest.abort(signal.reason);
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      ring = () => rest.abort(HEARD);
      await sleep(ms, rest.signal).catch(() => undefined);
      signal.removeEventListener('abort', stop);
      ring = () => undefined;
      signal.throwIfAborted();
    },
  };
};

/** Spaces packets in time, so that a probe never becomes the burst that trips an IPS or floods a branch router. */

export interface Pacer {
  /** Resolves when `packets` more may be sent; rejects with the signal's reason when that fires first. */
  take(packets: number, signal: AbortSignal): Promise<void>;
  /** The same where nothing has to be waited for; false, and nothing taken, where something has. */
  tryTake(packets: number): boolean;
}

/** Below a millisecond a timer costs more precision than it gives. */
const WORTH_A_TIMER_MS = 1;

/**
 * A pacer without credit for the past: slots lie 1/pps apart from each other, a pause earns no burst. Timers fire up
 * to a few milliseconds late, so slots that fell due in the meantime go out together; on average the rate holds.
 * @param packetsPerSecond positive
 */
export const createPacer = (
  packetsPerSecond: number,
  now: () => number = () => performance.now(),
  wait: (ms: number, signal: AbortSignal) => Promise<void> = sleep,
): Pacer => {
  const gapMs = 1000 / packetsPerSecond;
  let nextAt = Number.NEGATIVE_INFINITY;
  return {
    take: async (packets, signal) => {
      signal.throwIfAborted();
      const at = Math.max(now(), nextAt);
      nextAt = at + packets * gapMs;
      const delay = at - now();
      if (delay >= WORTH_A_TIMER_MS) await wait(delay, signal);
    },
    tryTake: (packets) => {
      const at = Math.max(now(), nextAt);
      if (at - now() >= WORTH_A_TIMER_MS) return false;
      nextAt = at + packets * gapMs;
      return true;
    },
  };
};

/** Waits `ms` milliseconds, or rejects with the signal's reason; leaves neither timer nor listener behind. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });

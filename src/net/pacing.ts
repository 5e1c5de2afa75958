/** Spaces packets in time, so that a probe never becomes the burst that trips an IPS or floods a branch router. */

export interface Pacer {
  /** Resolves when `packets` more may be sent; rejects with the signal's reason when that fires first. */
  take(packets: number, signal: AbortSignal): Promise<void>;
  /** The same where nothing has to be waited for; false, and nothing taken, where something has. */
  tryTake(packets: number): boolean;
  /** Takes what is sent at its own time, without waiting: everything else leaves it room. */
  book(packets: number): void;
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
    book: (packets) => {
      nextAt = Math.max(now(), nextAt) + packets * gapMs;
    },
  };
};

/** Timers are this late now and then; one that is later comes after this thread was held up. */
const USUAL_LATENESS_MS = 10;
/** libuv reads 32 datagrams of a socket in a turn of the event loop: so many turns read a default receive buffer that is full. */
const TURNS_TO_READ = 8;

/**
 * Calls `then` when what lies in the sockets has been read. After a delay Node runs timers that are due before it reads, and
 * answers that arrived in time would count as missing.
 * @param turns of the event loop, in each of which 32 datagrams of a socket are read; 0 calls at once
 */
export const afterReading = (turns: number, then: () => void): void => {
  if (turns === 0) then();
  else setImmediate(afterReading, turns - 1, then);
};

/** Waits `ms` milliseconds, or rejects with the signal's reason; leaves neither timer nor listener behind. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const dueAtMs = performance.now() + ms;
    const timer = setTimeout(
      () => {
        const isLate = performance.now() - dueAtMs > USUAL_LATENESS_MS;
        afterReading(isLate ? TURNS_TO_READ : 0, () => {
          signal.removeEventListener('abort', aborted);
          resolve();
        });
      },
      // Of a moment that has passed Node would warn.
      Math.max(0, ms),
    );
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });

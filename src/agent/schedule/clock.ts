/** The clocks of a host that sleeps, and whose time of day is set by others. */
import { uptime } from 'node:os';

export interface Clock {
  /** Time of day in milliseconds since 1970; may jump either way. */
  wall(): number;
  /** Milliseconds that only ever grow; on Linux they stand still while the host is suspended. */
  monotonic(): number;
  /** Milliseconds since the host started, suspension included. */
  sinceBoot(): number;
  /** Calls back once after this long on the monotonic clock. Returns how to cancel. */
  after(ms: number, callback: () => void): () => void;
}

/** The host's own. */
export const systemClock = (): Clock => ({
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  sinceBoot: () => uptime() * 1000,
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
});

/** Resolves after `ms`, or at once when the signal fires; leaves neither timer nor listener behind. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal.addEventListener('abort', finish);
  });

interface ClockReading {
  readonly wall: number;
  readonly monotonic: number;
  readonly sinceBoot: number;
}

export const readClock = (clock: Clock): ClockReading => ({
  wall: clock.wall(),
  monotonic: clock.monotonic(),
  sinceBoot: clock.sinceBoot(),
});

/** What happened to the clocks between two readings. */
export type ClockEvent =
  /** The host slept. */
  | { readonly kind: 'suspended'; readonly forMs: number }
  /** Somebody set the time of day; negative is back. */
  | { readonly kind: 'set'; readonly byMs: number };

/** `uptime` counts whole seconds, and timers fire late on a busy host; NTP slews by far less. */
const TOLERANCE_MS = 3000;

/** Compares two readings. */
export const clockEvents = (before: ClockReading, after: ClockReading): readonly ClockEvent[] => {
  const passed = {
    wall: after.wall - before.wall,
    monotonic: after.monotonic - before.monotonic,
    sinceBoot: after.sinceBoot - before.sinceBoot,
  };
  const slept = passed.sinceBoot - passed.monotonic;
  const set = passed.wall - Math.max(passed.sinceBoot, passed.monotonic);
  return [
    ...(slept > TOLERANCE_MS ? [{ kind: 'suspended', forMs: Math.round(slept) } as const] : []),
    ...(Math.abs(set) > TOLERANCE_MS ? [{ kind: 'set', byMs: Math.round(set) } as const] : []),
  ];
};

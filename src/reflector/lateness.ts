/**
 * How late this process is with its own work. What waits in its sockets meanwhile is late by our doing and by no firewall's, so
 * agents are told of it, and read what they miss as `limited`.
 */

interface Lateness {
  /** Milliseconds that work waited too long, all together since the start. */
  totalMs(): number;
  /** The worst wait in about the last two minutes, in milliseconds. */
  worstMs(): number;
  /** Forgets what was late before anybody could ask: binding thousands of sockets takes its time. */
  begin(): void;
  close(): void;
}

const EVERY_MS = 100;
/** Garbage collection and the system's scheduler take as much now and then, and no question waits so briefly for its answer. */
const UNNOTICED_MS = 50;
/** `worstMs` covers one such period that is over and the one that runs: no run of an agent outlasts them by much. */
const PERIOD_MS = 60_000;

/** Watches until it is closed. The timer does not keep the process alive. */
export const createLateness = (now: () => number = () => performance.now()): Lateness => {
  let totalMs = 0;
  let before = 0;
  let worst = 0;
  let periodAt = now();
  let last = now();
  const turn = (at: number): void => {
    if (at - periodAt < PERIOD_MS) return;
    before = at - periodAt < 2 * PERIOD_MS ? worst : 0;
    worst = 0;
    periodAt = at;
  };
  const timer = setInterval(() => {
    const at = now();
    const lateMs = at - last - EVERY_MS;
    last = at;
    turn(at);
    if (lateMs < UNNOTICED_MS) return;
    totalMs += lateMs;
    worst = Math.max(worst, lateMs);
  }, EVERY_MS).unref();
  return {
    totalMs: () => Math.round(totalMs),
    worstMs: () => {
      turn(now());
      return Math.round(Math.max(before, worst));
    },
    begin: () => {
      last = now();
      periodAt = last;
      totalMs = 0;
      before = 0;
      worst = 0;
    },
    close: () => clearInterval(timer),
  };
};

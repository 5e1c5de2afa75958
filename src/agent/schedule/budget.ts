/** The packets that all runs together may send: shares of a rate, and a sum per day. */

/** A share of the rate; give it back when the run is over. */
interface Share {
  readonly packetsPerSecond: number;
  release(): void;
}

export interface Budget {
  /** Resolves with a share as soon as there is one; rejects with the signal's reason. */
  acquire(wanted: number, signal: AbortSignal): Promise<Share>;
  /** Whether the day's packets are spent. */
  isSpent(wallMs: number): boolean;
  /** Notes what a run sent. */
  spend(packets: number, wallMs: number): void;
  spent(): { readonly day: string; readonly packets: number };
}

interface BudgetOptions {
  readonly packetsPerSecond: number;
  readonly packetsPerDay: number | null;
  /** What was spent before a restart. */
  readonly spent: { readonly day: string; readonly packets: number };
}

/** Less than this part of what a run wants is not worth starting with: it would only take longer. */
const LEAST_PART = 0.25;

const dayOf = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 10);

interface Waiting {
  readonly wanted: number;
  readonly grant: (share: number) => void;
}

/** A budget that is shared first come, first served: nobody overtakes, so nobody starves. */
export const createBudget = (options: BudgetOptions): Budget => {
  let free = options.packetsPerSecond;
  let spent = options.spent;
  const queue: Waiting[] = [];

  const serve = (): void => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const share = Math.floor(Math.min(next.wanted, free));
      if (share < Math.max(1, next.wanted * LEAST_PART)) return;
      queue.shift();
      free -= share;
      next.grant(share);
    }
  };

  return {
    acquire: (asked, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const giveUp = (): void => {
          const place = queue.indexOf(waiting);
          if (place >= 0) queue.splice(place, 1);
          reject(signal.reason);
        };
        const waiting: Waiting = {
          wanted: Math.max(1, Math.min(asked, options.packetsPerSecond)),
          grant: (packetsPerSecond) => {
            signal.removeEventListener('abort', giveUp);
            let released = false;
            resolve({
              packetsPerSecond,
              release: () => {
                if (released) return;
                released = true;
                free += packetsPerSecond;
                serve();
              },
            });
          },
        };
        signal.addEventListener('abort', giveUp, { once: true });
        queue.push(waiting);
        serve();
      }),
    isSpent: (wallMs) =>
      options.packetsPerDay !== null && spent.day === dayOf(wallMs) && spent.packets >= options.packetsPerDay,
    spend: (packets, wallMs) => {
      const day = dayOf(wallMs);
      spent = { day, packets: (spent.day === day ? spent.packets : 0) + packets };
    },
    spent: () => spent,
  };
};

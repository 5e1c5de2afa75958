/** Answers that wait for their time: how many, and that none outlives the reflector. */
import { prefixOf } from './limits.js';
import { createShares } from './quotas.js';

/** All together; each holds a datagram of 1,400 bytes at most. */
const MAX_PENDING = 16_384;
/** A run that measures four ports at 150 delays each, in two ways and twice, needs 2,400. */
const MAX_PENDING_PER_PREFIX = 4096;

interface Deferrals {
  /** Runs `send` later; false if there are too many already, of this network or of this token. */
  add(source: Uint8Array, owner: string, afterMs: number, send: () => void): boolean;
  close(): void;
}

/** Nothing is pending yet. The timers do not keep the process alive. */
export const createDeferrals = (): Deferrals => {
  const timers = new Set<NodeJS.Timeout>();
  const byPrefix = new Map<string, number>();
  const shares = createShares(MAX_PENDING);
  return {
    add: (source, owner, afterMs, send) => {
      const prefix = prefixOf(source);
      const already = byPrefix.get(prefix) ?? 0;
      if (already >= MAX_PENDING_PER_PREFIX || !shares.take(owner)) return false;
      byPrefix.set(prefix, already + 1);
      const timer = setTimeout(() => {
        timers.delete(timer);
        shares.release(owner);
        const left = (byPrefix.get(prefix) ?? 1) - 1;
        if (left > 0) byPrefix.set(prefix, left);
        else byPrefix.delete(prefix);
        send();
      }, afterMs);
      timer.unref();
      timers.add(timer);
      return true;
    },
    close: () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
};

/**
 * Whether an address still answers anything. A reflector that ends, or whose line is cut, in the middle of a run leaves
 * nothing but silence; who goes on asking learns nothing, and who blames the ports is wrong.
 */
import type { Totals } from './net.js';

export interface Hearing {
  /** An answer came from this address. */
  heard(address: string): void;
  /** It has answered before, and nothing for long although much was asked since. */
  isDeaf(address: string): boolean;
}

/** Longer than a burst of loss, and than the four seconds in which a lost question is repeated. */
const DEAF_MS = 5000;
/** A sweep asks a port that is known to pass among eight to sixteen others; so many packets hold a dozen of those. */
const DEAF_PACKETS = 200;

/** Nothing was heard yet. */
export const createHearing = (now: () => number, totals: Totals): Hearing => {
  const last = new Map<string, { readonly at: number; readonly packetsSent: number }>();
  return {
    heard: (address) => {
      last.set(address, { at: now(), packetsSent: totals.packetsSent });
    },
    isDeaf: (address) => {
      const then = last.get(address);
      if (!then) return false;
      return now() - then.at > DEAF_MS && totals.packetsSent - then.packetsSent > DEAF_PACKETS;
    },
  };
};

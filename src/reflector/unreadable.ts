/**
 * Datagrams of agents that nobody can read: they come from an address that lately showed a token, and carry none that holds.
 * Something on the way changed them. To the agent their port looks like one that lets nothing through, so it is told.
 */
import type { PortSpan } from '../model/far-end.js';
import { spansOf } from '../wire/info.js';

interface Unreadable {
  /** A datagram without a valid token came from this address to this port. */
  saw(address: string, port: number): void;
  /** Ports at which there were several of this address lately. */
  at(address: string): readonly PortSpan[];
}

/** An agent asks a silent port for some seconds and then asks how we are; an earlier run of it is none of this one's. */
const RECENT_MS = 30_000;
/** A single one may be a stray: behind one address there are other hosts than the agent. */
const ENOUGH = 2;
/** Addresses and ports that are remembered; beyond them the oldest address is forgotten, and a further port not noted. */
const MAX_ADDRESSES = 64;
const MAX_PORTS = 4096;

interface Seen {
  count: number;
  lastAtMs: number;
}

/** @param isAgent whether a token was lately shown from an address; of others nothing is kept */
export const createUnreadable = (
  isAgent: (address: string) => boolean,
  now: () => number = () => performance.now(),
): Unreadable => {
  const known = new Map<string, Map<number, Seen>>();
  const portsOf = (address: string): Map<number, Seen> => {
    const found = known.get(address);
    if (found) return found;
    const oldest = known.size >= MAX_ADDRESSES ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    const fresh = new Map<number, Seen>();
    known.set(address, fresh);
    return fresh;
  };
  const isRecent = ({ lastAtMs }: Seen): boolean => now() - lastAtMs < RECENT_MS;
  return {
    saw: (address, port) => {
      if (!isAgent(address)) return;
      const ports = portsOf(address);
      const seen = ports.get(port);
      if (seen) {
        seen.count = isRecent(seen) ? seen.count + 1 : 1;
        seen.lastAtMs = now();
      } else if (ports.size < MAX_PORTS) ports.set(port, { count: 1, lastAtMs: now() });
    },
    at: (address) => {
      const ports = known.get(address);
      if (!ports) return [];
      for (const [port, seen] of ports) if (!isRecent(seen)) ports.delete(port);
      if (ports.size === 0) known.delete(address);
      return spansOf([...ports].flatMap(([port, { count }]) => (count >= ENOUGH ? port : [])));
    },
  };
};

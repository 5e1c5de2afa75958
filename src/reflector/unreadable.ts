/**
 * Datagrams of agents that nobody can read: they come from an address that lately showed a token, and carry none that holds.
 * Something on the way changed them. To the agent their port looks like one that lets nothing through, so it is told.
 */
import type { PortSpan } from '../model/far-end.js';
import { spansOf } from '../wire/info.js';

interface Unreadable {
  /** A datagram without a valid token came from this address to this port. */
  saw(address: string, port: number): void;
  /** Another process says that it saw one. */
  heard(address: string, port: number): void;
  /** Ports at which there were several of this address lately. */
  at(address: string): readonly PortSpan[];
}

/** An agent asks a silent port for some seconds and then asks how we are; an earlier run of it is none of this one's. */
const RECENT_MS = 30_000;
/** The other processes are told of the first few at a port and then so often: a flood costs them nothing. */
const TOLD_EVERY_MS = 1000;
/** A single one may be a stray: behind one address there are other hosts than the agent. */
const ENOUGH = 2;
/** Addresses and ports that are remembered; beyond them the oldest address is forgotten, and a further port not noted. */
const MAX_ADDRESSES = 64;
const MAX_PORTS = 4096;

interface Seen {
  count: number;
  lastAtMs: number;
  toldAtMs: number;
}

/**
 * @param isAgent whether a token was lately shown from an address; of others nothing is kept
 * @param tell called for what the other processes have to know
 */
export const createUnreadable = (
  isAgent: (address: string) => boolean,
  now: () => number = () => performance.now(),
  tell: (address: string, port: number) => void = () => undefined,
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
  const note = (address: string, port: number): Seen | null => {
    const ports = portsOf(address);
    const known = ports.get(port);
    if (!known && ports.size >= MAX_PORTS) return null;
    const seen = known ?? { count: 0, lastAtMs: now(), toldAtMs: Number.NEGATIVE_INFINITY };
    ports.set(port, seen);
    seen.count = isRecent(seen) ? seen.count + 1 : 1;
    seen.lastAtMs = now();
    return seen;
  };
  return {
    saw: (address, port) => {
      if (!isAgent(address)) return;
      const seen = note(address, port);
      if (!seen || (seen.count > ENOUGH && now() - seen.toldAtMs < TOLD_EVERY_MS)) return;
      seen.toldAtMs = now();
      tell(address, port);
    },
    heard: note,
    at: (address) => {
      const ports = known.get(address);
      if (!ports) return [];
      for (const [port, seen] of ports) if (!isRecent(seen)) ports.delete(port);
      if (ports.size === 0) known.delete(address);
      return spansOf([...ports].flatMap(([port, { count }]) => (count >= ENOUGH ? port : [])));
    },
  };
};

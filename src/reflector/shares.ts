/** Which process binds which ports: as few processes as the limit of open files allows, or as many as are wanted. */
import { SPARE_DESCRIPTORS } from '../net/limits.js';
import type { Listener, Place } from './alternates.js';
import type { PortPlan } from './ports.js';
import type { Share } from './worker-messages.js';

/** More are a sign of a limit that is too low to be worked around; each takes some 50 MB. */
export const MAX_PROCESSES = 8;
/** Connections need descriptors as well as ports do: this part of a low limit, and of a high one MAX_CONNECTIONS. */
const PART_FOR_CONNECTIONS = 4;
const MAX_CONNECTIONS = 2000;
/** Signalling, STUN and IKE: no profile names as many single ports. */
const SINGLE_PORTS = 256;

/** How many sockets one process may listen on under a limit of open files; Infinity without one. */
export const roomUnder = (limit: number | null): number =>
  limit === null
    ? Number.POSITIVE_INFINITY
    : Math.max(0, limit - SPARE_DESCRIPTORS - Math.min(MAX_CONNECTIONS, Math.floor(limit / PART_FOR_CONNECTIONS)));

interface Shares {
  /** The first is the process itself. */
  readonly shares: readonly Share[];
  /** Sockets that no process has room for. */
  readonly leftOut: number;
}

/**
 * Deals out the sockets. TCP and single UDP ports go to the first process, which keeps what SIP messages arrived; ports of
 * long ranges in turn, so that a sweep of neighbours keeps all processes busy. The ports that matter most come first and
 * are never left out for others.
 */
export const dealShares = (
  listeners: readonly Listener[],
  ports: PortPlan,
  room: number,
  processes: number | null,
): Shares => {
  const places = (list: readonly number[]): readonly Place[] =>
    list.flatMap((port) => listeners.map((_, listener) => ({ listener, port })));
  const tcp = places(ports.tcp);
  const udp = places(ports.udp);
  const total = tcp.length + udp.length;
  const needed = room === Number.POSITIVE_INFINITY || room === 0 ? 1 : Math.ceil(total / room);
  const count = Math.min(MAX_PROCESSES, processes ?? needed);
  const shares = Array.from({ length: Math.max(1, count) }, () => ({ udp: [] as Place[], tcp: [] as Place[] }));
  let leftOut = 0;
  const deal = (place: Place, kind: 'udp' | 'tcp', order: readonly (typeof shares)[number][]): void => {
    const free = order.find((share) => share.udp.length + share.tcp.length < room);
    if (free) free[kind].push(place);
    else leftOut += 1;
  };
  for (const place of tcp) deal(place, 'tcp', shares);
  for (const [index, place] of udp.entries()) {
    const port = Math.floor(index / listeners.length);
    const turn = port < SINGLE_PORTS ? 0 : port % shares.length;
    deal(place, 'udp', [...shares.slice(turn), ...shares.slice(0, turn)]);
  }
  return { shares, leftOut };
};

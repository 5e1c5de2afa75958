/** An ICMP error that came for a question of ours, and what its numbers mean (RFC 792, RFC 1812 §5.2.7, RFC 4443 §3). */
import type { Family } from './check.js';

/**
 * Whose address the error came from: one of this host's; the target's own; one on a network that this host is part of, which a
 * router of the site has; or one further away.
 */
const ICMP_PLACES = ['this-host', 'target', 'on-link', 'beyond'] as const;
export type IcmpPlace = (typeof ICMP_PLACES)[number];

export interface IcmpFact {
  readonly family: Family;
  readonly type: number;
  readonly code: number;
  /** Who sent it; null where the kernel did not tell. */
  readonly from: string | null;
  readonly place: IcmpPlace | null;
  /** Of "fragmentation needed" and "packet too big": what the next link carries, in bytes; null of others. */
  readonly mtu: number | null;
}

const UNREACHABLE = { 4: 3, 6: 1 } as const;
/** RFC 1191 §4, RFC 4443 §3.2. */
const FRAGMENTATION_NEEDED = 4;
const PACKET_TOO_BIG = 2;
const TIME_EXCEEDED = { 4: 11, 6: 3 } as const;

type Numbers = Pick<IcmpFact, 'family' | 'type' | 'code'>;

/** The packet was larger than a link on its way. */
export const isTooBig = ({ family, type, code }: Numbers): boolean =>
  family === 4 ? type === UNREACHABLE[4] && code === FRAGMENTATION_NEEDED : type === PACKET_TOO_BIG;

/** Somebody says that it does not go there, or may not. */
export const isRefusal = (fact: Numbers): boolean => fact.type === UNREACHABLE[fact.family] && !isTooBig(fact);

/** Its hop limit was used up: with the system's own limit, it went in a circle. */
export const isTimeExceeded = ({ family, type }: Numbers): boolean => type === TIME_EXCEEDED[family];

/** The same read out of a report's evidence, which is anybody's JSON; null where it is none. */
export const icmpFactOf = (evidence: Readonly<Record<string, unknown>>): IcmpFact | null => {
  const { icmp } = evidence;
  if (typeof icmp !== 'object' || icmp === null) return null;
  const { family, type, code, from = null, place = null, mtu = null } = icmp as Readonly<Record<string, unknown>>;
  if ((family !== 4 && family !== 6) || typeof type !== 'number' || typeof code !== 'number') return null;
  return {
    ...{ family, type, code },
    from: typeof from === 'string' ? from : null,
    place: ICMP_PLACES.find((one) => one === place) ?? null,
    mtu: typeof mtu === 'number' ? mtu : null,
  };
};

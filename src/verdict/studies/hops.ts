/**
 * From ladders to the stretch of path on which a port ends: how far its packets came for certain, and the next hop that packets of
 * ports that pass reach. What drops them is one of the two or lies between; a rule before a router's routing (its hop limit is not looked at
 * there yet) looks like one of the hop before. Where the ladders do not agree nothing is said. Pure.
 */
import type { Climb, HopFacts, Ladder } from '../../model/hops.js';
import type { Report } from '../../model/report.js';
import { isCarrierAddress, isPrivateAddress, parseIp } from '../../wire/ip.js';
import { hopNote } from '../../words/hops.js';
import type { Judge } from './study-check.js';

type Row = NonNullable<Report['hops']>[number];

/** A hop that was seen once is not named: a route may have changed in that moment. */
const NAMED = 2;
/** Fewer climbs say nothing of silence. */
const MIN_CLIMBS = 3;

/** What the climbs of one ladder say of one limit. */
interface Rung {
  readonly addresses: readonly string[];
  readonly count: number;
}

const rungOf = (climbs: readonly Climb[], limit: number): Rung => {
  const all = climbs.flatMap(({ seen }) => seen[limit - 1] ?? []);
  return { addresses: [...new Set(all)], count: all.length };
};

/** The same over several ladders. */
const together = (ladders: readonly Ladder[], limit: number): Rung =>
  rungOf(
    ladders.flatMap(({ climbs }) => climbs),
    limit,
  );

/** With which limit the far end is reached; null where the ladders that pass do not say the same. */
const lengthOf = (passing: readonly Ladder[]): number | null => {
  const all = passing.map(({ climbs }) => {
    const reached = climbs.flatMap(({ reachedAt }) => reachedAt ?? []);
    // With a limit above it an answer may come late; the lowest of several climbs is the path's.
    return reached.length > 0 ? Math.min(...reached) : null;
  });
  const [first = null] = all;
  return first !== null && all.every((one) => one === first) ? first : null;
};

/** Whether the ladders cannot be compared. */
const disagreement = (ladders: readonly Ladder[], length: number): boolean =>
  // Two routers at one limit: flows take several paths (ECMP), or the route changed.
  Array.from({ length }, (_, i) => together(ladders, i + 1)).some(({ addresses }) => addresses.length > 1) ||
  // A router beyond the far end: something answered in its place, or limits are rewritten on the way.
  ladders.some(({ climbs }) => climbs.some(({ seen }) => seen.slice(length - 1).some((one) => one !== null)));

/** The next hop that packets that pass reach without fail, and with which limit; the far end itself at the latest. */
const nextOf = (passing: readonly Ladder[], after: number, length: number) => {
  for (let limit = after + 1; limit < length; limit += 1) {
    const isSure = passing.every(({ climbs }) => rungOf(climbs, limit).count === climbs.length);
    const [address] = together(passing, limit).addresses;
    if (isSure && address !== undefined) return { address, limit, isFarEnd: false };
  }
  return { address: null, limit: length, isFarEnd: true };
};

/** Sites have blocks of public addresses of up to this size, of which their own router has one in front of the NAT. */
const BLOCK_OCTETS = { 4: 3, 6: 6 } as const;

/** Whether two addresses may belong to one site's block. */
const isNear = (address: string, other: string): boolean => {
  const [a, b] = [parseIp(address), parseIp(other)];
  if (!a || !b || a.family !== b.family) return false;
  const length = BLOCK_OCTETS[a.family];
  return Buffer.compare(a.bytes.subarray(0, length), b.bytes.subarray(0, length)) === 0;
};

/** Beyond this site: shared space of providers, or a public address on the other side of the site's own NAT, not of its block. */
const isOutside = (address: string, limit: number, { places, mapped, local }: HopFacts): boolean => {
  if (limit < 2 || places[address] !== 'beyond' || mapped.includes(address)) return false;
  // A site that is itself in shared space has routers there.
  if (isCarrierAddress(address)) return local !== null && !isCarrierAddress(local);
  const isNatted = local !== null && isPrivateAddress(local) && mapped.length > 0 && !mapped.some(isPrivateAddress);
  return isNatted && !isPrivateAddress(address) && !mapped.some((own) => isNear(address, own));
};

/** The stretch on which a blocked port's packets end. */
export interface Stretch {
  /** Limits that brought an answer from a router, in order; null where none came twice. */
  readonly answered: readonly (string | null)[];
  readonly lastSeen: string | null;
  readonly next: { readonly address: string | null; readonly limit: number; readonly isFarEnd: boolean };
  /** The last router that was seen lies outside this site: no device of the site's drops it. */
  readonly isOutside: boolean;
  readonly device: Row['device'];
}

/** Null where the evidence carries no such statement. */
export const stretchOf = (blocked: Ladder, facts: HopFacts): Stretch | null => {
  const passing = facts.ladders.filter(({ isBlocked }) => !isBlocked);
  if (passing.length === 0 || [blocked, ...passing].some(({ climbs }) => climbs.length < MIN_CLIMBS)) return null;
  if (blocked.climbs.some(({ reachedAt }) => reachedAt !== null)) return null;
  const length = lengthOf(passing);
  if (length === null || disagreement([blocked, ...passing], length)) return null;
  const rungs = Array.from({ length: length - 1 }, (_, i) => rungOf(blocked.climbs, i + 1));
  const answered = rungs.map(({ addresses, count }) => (count >= NAMED ? (addresses[0] ?? null) : null));
  const last = answered.findLastIndex((one) => one !== null) + 1;
  // Seen once further on: it gets there, and how far is not known.
  if (rungs.slice(last).some(({ count }) => count > 0)) return null;
  const lastSeen = answered[last - 1] ?? null;
  const next = nextOf(passing, last, length);
  const outside = lastSeen !== null && isOutside(lastSeen, last, facts);
  // Without a word of any router nothing is known but that the port is blocked.
  if (lastSeen === null && next.isFarEnd) return null;
  const isOwnRouter = lastSeen === null && next.address !== null && facts.places[next.address] === 'on-link';
  const isProviders = outside && next.address !== null && isCarrierAddress(next.address);
  const device = isOwnRouter ? 'branch-firewall' : isProviders ? 'provider' : null;
  return { answered, lastSeen, next, isOutside: outside, device };
};

const rowOf = (ladder: Ladder, facts: HopFacts): readonly Row[] => {
  const base = { check: ladder.id, probe: ladder.probe, transport: ladder.transport, port: ladder.port };
  const place = { ...base, address: facts.address, direction: 'outbound' as const };
  if (ladder.isBlocked) {
    const stretch = stretchOf(ladder, facts);
    if (stretch === null) return [];
    const { answered, lastSeen, next, device } = stretch;
    const nextOnControl = next.address ?? facts.address;
    return [
      { ...place, passes: false, answered: [...answered], lastSeen, nextOnControl, outside: stretch.isOutside, device },
    ];
  }
  const length = lengthOf([ladder]);
  if (length === null || disagreement([ladder], length)) return [];
  const answered = Array.from({ length: length - 1 }, (_, i) => {
    const { addresses, count } = rungOf(ladder.climbs, i + 1);
    return count >= NAMED ? (addresses[0] ?? null) : null;
  });
  const lastSeen = answered.findLast((one) => one !== null) ?? null;
  return [{ ...place, passes: true, answered, lastSeen, nextOnControl: null, outside: null, device: null }];
};

export const judge: Judge<HopFacts> = (facts) => {
  const hops = facts.flatMap((one) => one.ladders.flatMap((ladder) => rowOf(ladder, one)));
  return { hops, notes: hops.flatMap((row) => hopNote(row) ?? []) };
};

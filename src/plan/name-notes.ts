/** What a reader must know of a target's name: records that lead nowhere, what a domain offers, whose address it is. */
import { isIP } from 'node:net';
import { TRANSPORTS, type Transport } from '../model/kinds.js';
import type { Resolution } from '../model/resolution.js';
import {
  leftOutNote,
  notResolved,
  offersOnly,
  resolvesInside,
  resolvesToLoopback,
  silentResolver,
  srvUnknown,
} from '../words/name-notes.js';
import { listed, lookupInWords, troubleInWords } from '../words/names.js';
import { addressesOf, type Destination, type SipRoute } from './plan.js';
import { isLoopback, isPublic } from './public-address.js';

export interface Found {
  /** The addresses that are asked. */
  readonly asked: readonly string[];
  readonly routes: Readonly<Record<Transport, SipRoute>>;
  /** Why the name has no address at all; null if it has. */
  readonly unresolved: string | null;
}

/** Names that are for one network by definition or by habit (RFC 6762 §3, RFC 8375, RFC 9476), and single labels. */
const LOCAL_NAME = /^[^.]+$|(?:^|\.)(?:local|localhost|localdomain|lan|home|corp|internal|intranet|home\.arpa|alt)$/;
/** More than these are a list to read elsewhere. */
const MAX_LISTED = 8;

/** Names the first ones and counts the rest. */
const some = (items: readonly string[]): string => {
  const more = items.length - MAX_LISTED;
  return more > 0 ? `${items.slice(0, MAX_LISTED).join(', ')} and ${more} more` : listed(items);
};

const offered = ({ host, offers }: Resolution, { routes }: Found): readonly string[] => {
  const without = TRANSPORTS.filter((transport) => !routes[transport].offered).map((one) => one.toUpperCase());
  if (without.length === 0) return [];
  const only = offers.length === 0 ? 'no SIP over UDP, TCP or TLS' : `${listed(offers)} only`;
  return [offersOnly(host, only, listed(without))];
};

/** Failures that keep somebody from somewhere; what failed beside what was found, and cost nothing, stays in the JSON. */
const troubles = ({ failures, resolvers }: Resolution, { routes }: Found): readonly string[] => {
  const isReached = TRANSPORTS.some((transport) => routes[transport].endpoints.some(({ address }) => address !== null));
  return failures
    .filter(({ type, reason, about }) => {
      if (reason === 'too-many' || reason === 'cancelled' || type === 'address') return false;
      if (type === 'SRV') return true;
      if (type === 'NAPTR') return !isReached;
      return about !== undefined && (type === 'A' || !isReached || reason === 'not-found');
    })
    .map((failure) => troubleInWords(failure, resolvers));
};

/** SRV records that nobody could look up, and the host's own address asked instead: phones may be led elsewhere. */
const standIn = ({ host, failures }: Resolution, { routes }: Found): readonly string[] => {
  const isUnknown = failures.some(({ type }) => type === 'SRV') && failures.some(({ type }) => type === 'NAPTR');
  const isHost = TRANSPORTS.every((transport) =>
    routes[transport].endpoints.some(({ address, bySrv }) => address !== null && !bySrv),
  );
  return isUnknown && isHost ? [srvUnknown(host)] : [];
};

/** All of it, one sentence each. */
export const nameNotes = (resolution: Resolution, found: Found): readonly string[] => {
  const { host, resolvers, leftOut } = resolution;
  const silent = resolvers.filter(({ state }) => state === 'silent').map(({ address }) => address);
  const answering = resolvers.some(({ state }) => state === 'answers');
  const total = found.asked.length + leftOut.length;
  return [
    ...(found.unresolved === null
      ? []
      : [notResolved(host, found.unresolved, lookupInWords(found.unresolved, resolvers))]),
    ...troubles(resolution, found),
    ...standIn(resolution, found),
    ...offered(resolution, found),
    ...(leftOut.length > 0 ? [leftOutNote(host, total, found.asked.length, some(leftOut))] : []),
    ...(silent.length > 0 && answering ? [silentResolver(listed(silent))] : []),
  ];
};

/** Addresses that a public name does not have: who answers there is not whom phones elsewhere reach. */
export const addressNotes = (destination: Destination): readonly string[] => {
  const { host } = destination;
  if (isIP(host) !== 0 || LOCAL_NAME.test(host)) return [];
  const asked = addressesOf([destination]);
  const loopback = asked.filter(isLoopback);
  const inside = asked.filter((address) => isIP(address) !== 0 && !isPublic(address) && !isLoopback(address));
  return [
    ...(loopback.length > 0 ? [resolvesToLoopback(host, some(loopback))] : []),
    ...(inside.length > 0 ? [resolvesInside(host, some(inside))] : []),
  ];
};

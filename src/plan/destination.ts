/** From what the user typed to addresses: for SIP as RFC 3263 says, for everything else by A and AAAA. */
import type { Family } from '../model/check.js';
import { TRANSPORTS, type Transport } from '../model/kinds.js';
import type { Resolution } from '../model/resolution.js';
import { UserError } from '../model/user-error.js';
import { parseSipTarget, type SipTarget, type SipTargetRefusal } from '../net/sip-target.js';
import { parseTarget, type Target } from '../net/target.js';
import { notAskedInDryRun } from '../words/name-notes.js';
import { nameNotes } from './name-notes.js';
import type { Destination, Endpoint, SipRoute } from './plan.js';

/** A name with more addresses than this would be probed for minutes; the first ones stand for all. */
const MAX_ADDRESSES = 8;

const FIX: Record<SipTargetRefusal, string> = {
  empty: 'is empty; give a host name or an address',
  'too-long': 'is longer than a host name can be',
  whitespace: 'contains spaces or control characters',
  uri: 'is no host and no SIP URI; give the host alone',
  userinfo: 'contains a user; give the host alone, or a SIP URI',
  port: 'contains a port; give the host alone, ports come from the profile',
  'bad-port': 'has a port that is none from 1 to 65535',
  transport: 'names a transport that is not tested; udp, tcp and tls are (sips: is never over udp)',
  'scoped-address': 'has a zone; give an address that is reachable from anywhere',
  'bad-address': 'is not the address of a host',
  'bad-name': 'is not a host name',
};

/** Reads a target as the user named it. @throws UserError that names the option and the fix */
export const readTarget = (text: string, option: string): Target => {
  const parsed = parseTarget(text);
  if (!parsed.ok) throw new UserError('usage', `${option}: "${text.slice(0, 80)}" ${FIX[parsed.refusal]}`);
  return parsed.value;
};

/**
 * Reads the target of SIP: a host, with a port or as a URI where people write it so.
 * @param port what `--port` says, or null
 * @throws UserError that names the option and the fix
 */
export const readSipTarget = (text: string, option: string, port: number | null): SipTarget => {
  const parsed = parseSipTarget(text);
  if (!parsed.ok) throw new UserError('usage', `${option}: "${text.slice(0, 80)}" ${FIX[parsed.refusal]}`);
  const { value } = parsed;
  if (port !== null && value.port !== null && port !== value.port) {
    throw new UserError('usage', `--port ${port}: the target itself names port ${value.port}; give one of them`);
  }
  return { ...value, port: value.port ?? port };
};

/** The transports to ask: those of the options, or the one that the target's URI names. @throws UserError */
export const transportsOf = (
  { transport }: SipTarget,
  wanted: readonly Transport[] | null,
): readonly Transport[] | null => {
  if (transport === null) return wanted;
  if (wanted !== null && !wanted.includes(transport)) {
    throw new UserError('usage', `--transport: the target's URI names ${transport}; leave the option out, or name it`);
  }
  return [transport];
};

export interface Resolved {
  readonly destination: Destination;
  /** What the DNS said; null where it was not asked. */
  readonly resolution: Resolution | null;
  /** What a reader must know: names that failed, in words. */
  readonly notes: readonly string[];
}

const unresolved = (host: string): Endpoint => ({ host, address: null, family: null });

/** Where an address literal goes: the one place there is. */
const literal = (host: string, address: string, family: Family, port: number | null): Destination => {
  const endpoint: Endpoint = { host, address, family };
  const route: SipRoute = { offered: true, endpoints: [{ ...endpoint, port }] };
  return { host, endpoints: [endpoint], sip: { udp: route, tcp: route, tls: route } };
};

/** A name as `--dry-run` takes it: asking for its addresses would send packets, so it stands for one address itself. */
export const withoutDns = (host: string, families: readonly Family[], port: number | null = null): Resolved => ({
  destination: literal(host, host, families[0] ?? 4, port),
  resolution: null,
  notes: [notAskedInDryRun(host)],
});

/**
 * Resolves a target. A name that does not resolve is no error: its questions exist and cannot be asked.
 * @param withSip whether any profile asks for SIP, so that NAPTR and SRV are worth a query
 * @param port the signalling port where one was named; then the records say nothing (RFC 3263 §4.2)
 */
export const resolveDestination = async (
  target: Target,
  withSip: boolean,
  families: readonly Family[],
  signal: AbortSignal,
  port: number | null = null,
): Promise<Resolved> => {
  if (target.kind === 'address') {
    const { address, family } = target;
    if (!families.includes(family)) {
      throw new UserError('usage', `-${family === 4 ? 6 : 4}: the target ${address} is an IPv${family} address`);
    }
    return { destination: literal(address, address, family, port), resolution: null, notes: [] };
  }
  const host = target.name;
  // A literal needs no resolver, and loading one takes as long as the rest of a dry run.
  const { resolveAddresses, resolveSip, systemDns } = await import('../net/resolve.js');
  const dns = systemDns();
  const [general, sip] = await Promise.all([
    resolveAddresses(target, { families, dns, signal }),
    withSip && port === null
      ? resolveSip(target, { transports: TRANSPORTS, families, dns, random: Math.random, signal })
      : null,
  ]);
  const found: readonly Endpoint[] = general.ok
    ? general.value.map(({ address, family }) => ({ host, address, family }))
    : [];
  const endpoints = found.slice(0, MAX_ADDRESSES);
  const routeOf = (transport: Transport): SipRoute => {
    const route = sip?.services.find((service) => service.transport === transport);
    // With records the domain's own address is no stand-in for what they name (RFC 3263 §4.2).
    const places =
      route === undefined || route.via === 'address'
        ? endpoints.map((endpoint) => ({ ...endpoint, port }))
        : route.endpoints
            .slice(0, MAX_ADDRESSES)
            // The domain and not the host that its records name: that is what a certificate has to show (RFC 5922 §4).
            .map(({ address, family, port: named }) => ({ host, address, family, port: named, bySrv: true }));
    return {
      offered: route?.offered !== false,
      endpoints: places.length > 0 ? places : [{ ...unresolved(host), port }],
    };
  };
  const routes = { udp: routeOf('udp'), tcp: routeOf('tcp'), tls: routeOf('tls') };
  // A SIP domain often has SRV records and no address of its own.
  const viaSip = Object.values(routes)
    .flatMap((route) => route.endpoints)
    .filter(({ address }) => address !== null)
    .map(({ host: name, address, family }): Endpoint => ({ host: name, address, family }));
  const unique = [...new Map(viaSip.map((endpoint) => [endpoint.address, endpoint])).values()].slice(0, MAX_ADDRESSES);
  const fallback = unique.length > 0 ? unique : [unresolved(host)];
  const asked = new Set([...endpoints, ...viaSip].map(({ address }) => address));
  const known = [...found, ...(sip?.services.flatMap((service) => service.endpoints) ?? [])];
  const resolution: Resolution = {
    host,
    failures: sip?.failures ?? (general.ok ? [] : [{ name: host, type: 'address', reason: general.refusal } as const]),
    resolvers: (dns.servers?.() ?? [])
      .filter((server) => server.asked)
      .map(({ address, state }) => ({ address, state })),
    offers: sip?.offers ?? [],
    leftOut: [...new Set(known.flatMap(({ address }) => address ?? []))].filter((address) => !asked.has(address)),
  };
  const isNowhere = endpoints.length === 0 && unique.length === 0 && !general.ok;
  return {
    destination: { host, endpoints: endpoints.length > 0 ? endpoints : fallback, sip: routes },
    resolution,
    notes: nameNotes(resolution, {
      asked: [...asked].flatMap((address) => address ?? []),
      routes,
      unresolved: isNowhere ? general.refusal : null,
    }),
  };
};

/** The addresses of a name as this host's resolver gives them; none where it does not resolve. */
export const addressesOfName = async (
  name: string,
  families: readonly Family[],
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const { resolveAddresses, systemDns } = await import('../net/resolve.js');
  const found = await resolveAddresses({ kind: 'name', name }, { families, dns: systemDns(), signal });
  return found.ok ? found.value.map(({ address }) => address) : [];
};

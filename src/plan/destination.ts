/** From what the user typed to addresses: for SIP as RFC 3263 says, for everything else by A and AAAA. */
import type { Family } from '../model/check.js';
import type { Transport } from '../model/kinds.js';
import { UserError } from '../model/user-error.js';
import { parseTarget, type Target, type TargetRefusal } from '../net/target.js';
import type { Destination, Endpoint, SipRoute } from './plan.js';

/** A name with more addresses than this would be probed for minutes; the first ones stand for all. */
const MAX_ADDRESSES = 8;

const FIX: Record<TargetRefusal, string> = {
  empty: 'is empty; give a host name or an address',
  'too-long': 'is longer than a host name can be',
  whitespace: 'contains spaces or control characters',
  uri: 'is a URI; give the host alone',
  userinfo: 'contains a user; give the host alone',
  port: 'contains a port; give the host alone, ports come from the profile',
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

export interface Resolved {
  readonly destination: Destination;
  /** What a reader must know: names that failed, in words. */
  readonly notes: readonly string[];
}

const unresolved = (host: string): Endpoint => ({ host, address: null, family: null });

/** Where an address literal goes: the one place there is. */
const literal = (host: string, address: string, family: Family): Destination => {
  const endpoint: Endpoint = { host, address, family };
  const route: SipRoute = { offered: true, endpoints: [{ ...endpoint, port: null }] };
  return { host, endpoints: [endpoint], sip: { udp: route, tcp: route, tls: route } };
};

/** A name as `--dry-run` takes it: asking for its addresses would send packets, so it stands for one address itself. */
export const withoutDns = (host: string, families: readonly Family[]): Resolved => ({
  destination: literal(host, host, families[0] ?? 4),
  notes: [`The name ${host} was not resolved, because that sends packets: it is counted as one address.`],
});

/**
 * Resolves a target. A name that does not resolve is no error: its questions exist and cannot be asked.
 * @param withSip whether any profile asks for SIP, so that NAPTR and SRV are worth a query
 */
export const resolveDestination = async (
  target: Target,
  withSip: boolean,
  families: readonly Family[],
  signal: AbortSignal,
): Promise<Resolved> => {
  if (target.kind === 'address') {
    const { address, family } = target;
    if (!families.includes(family)) {
      throw new UserError('usage', `-${family === 4 ? 6 : 4}: the target ${address} is an IPv${family} address`);
    }
    return { destination: literal(address, address, family), notes: [] };
  }
  const host = target.name;
  // A literal needs no resolver, and loading one takes as long as the rest of a dry run.
  const { resolveAddresses, resolveSip, systemDns } = await import('../net/resolve.js');
  const dns = systemDns();
  const [general, sip] = await Promise.all([
    resolveAddresses(target, { families, dns, signal }),
    withSip
      ? resolveSip(target, { transports: ['udp', 'tcp', 'tls'], families, dns, random: Math.random, signal })
      : null,
  ]);
  const endpoints: Endpoint[] = general.ok
    ? general.value.slice(0, MAX_ADDRESSES).map(({ address, family }) => ({ host, address, family }))
    : [];
  const routeOf = (transport: Transport): SipRoute => {
    const route = sip?.services.find((service) => service.transport === transport);
    const found = (route?.endpoints ?? []).slice(0, MAX_ADDRESSES);
    return {
      offered: route?.offered !== false,
      endpoints:
        found.length > 0
          ? found.map(({ host: name, address, family, port }) => ({ host: name, address, family, port }))
          : (endpoints.length > 0 ? endpoints : [unresolved(host)]).map((endpoint) => ({ ...endpoint, port: null })),
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
  return {
    destination: { host, endpoints: endpoints.length > 0 ? endpoints : fallback, sip: routes },
    notes:
      endpoints.length === 0 && unique.length === 0 && !general.ok
        ? [`The name ${host} does not resolve (${general.refusal}).`]
        : [],
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

/**
 * Where a domain's SIP service is, found as a SIP user agent finds it (RFC 3263 §4): NAPTR records say which transports
 * it offers, SRV records where, and without either it is the host itself at the default ports.
 */
import type { Family } from '../model/check.js';
import { TRANSPORTS, type Transport } from '../model/kinds.js';
import { type Dns, isAbsence, type NaptrRecord, type ResolvedAddress, type SrvRecord } from './dns.js';
import {
  createLookups,
  type Lookups,
  MAX_RECORDS,
  type NameFailure,
  type ResolveFailure,
  withDeadline,
} from './lookups.js';
import { orderSrv } from './srv-order.js';
import { isName, type Target } from './target.js';

export interface SipEndpoint extends ResolvedAddress {
  /** The SRV target, or the domain itself. */
  readonly host: string;
  readonly port: number;
  /** As in SRV; 0 without. */
  readonly priority: number;
  readonly weight: number;
}

export interface SipService {
  readonly transport: Transport;
  /** False: the domain has NAPTR or SRV records and none for this transport. Null: it does not say, or DNS failed. */
  readonly offered: boolean | null;
  /** The records that this rests on; `address` where there are none and default ports are tried. */
  readonly via: 'literal' | 'naptr' | 'srv' | 'address';
  /** In the order in which a user agent tries them; at most 16. */
  readonly endpoints: readonly SipEndpoint[];
}

export interface SipResolution {
  /** The name or address that was resolved: what a certificate has to name (RFC 5922 §7.1). */
  readonly domain: string;
  /** One for each transport asked for, in that order. */
  readonly services: readonly SipService[];
  /** Transports in the order in which the domain's NAPTR records prefer them; empty if it has none. */
  readonly preference: readonly Transport[];
  readonly failures: readonly NameFailure[];
}

export interface SipOptions {
  readonly transports: readonly Transport[];
  /** In order of preference among the addresses of one host. */
  readonly families: readonly Family[];
  readonly dns: Dns;
  readonly signal?: AbortSignal;
  /** For everything together, in milliseconds. */
  readonly deadlineMs?: number;
  /** Uniform in [0, 1), for SRV's weights. */
  readonly random?: () => number;
}

/** Half of an eight-second run. */
export const SIP_DEADLINE_MS = 4_000;

/** RFC 3261 §19.1.2. */
const DEFAULT_PORT: Readonly<Record<Transport, number>> = { udp: 5060, tcp: 5060, tls: 5061 };
/** RFC 3263 §4.1; TLS is what SIPS means over TCP. */
const SRV_PREFIX: Readonly<Record<Transport, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' };
/** NAPTR services that we speak; SIP+D2S, SCTP, is left to others as RFC 3263 §4.1 has it. */
const NAPTR_SERVICE: ReadonlyMap<string, Transport> = new Map([
  ['sip+d2u', 'udp'],
  ['sip+d2t', 'tcp'],
  ['sips+d2t', 'tls'],
]);

type Note = (name: string, type: NameFailure['type'], reason: ResolveFailure) => void;

interface Route {
  readonly transport: Transport;
  readonly srvName: string;
}

/** What an SRV lookup says: where, decidedly nowhere (a lone target of "."), no such record, or nothing. */
type SrvFound =
  | { readonly kind: 'hosts'; readonly records: readonly SrvRecord[] }
  | { readonly kind: 'denied' | 'absent' | 'failed' };

const bare = (name: string): string => name.replace(/\.$/, '').toLowerCase();

/** The usable NAPTR records of SIP, best first. Regular expressions are for telephone numbers (RFC 3263 §4.1). */
const routesOf = (domain: string, records: readonly NaptrRecord[], note: Note): readonly Route[] => {
  const routes: (Route & { readonly order: number; readonly preference: number })[] = [];
  for (const { service, flags, replacement, order, preference } of records) {
    const transport = NAPTR_SERVICE.get(service.toLowerCase());
    if (!transport) continue;
    const srvName = bare(replacement);
    if (flags.toLowerCase() !== 's') note(domain, 'NAPTR', 'unsupported-flag');
    else if (!isName(srvName)) note(domain, 'NAPTR', 'bad-record');
    else routes.push({ transport, srvName, order, preference });
  }
  routes.sort((one, other) => one.order - other.order || one.preference - other.preference);
  if (routes.length > MAX_RECORDS) note(domain, 'NAPTR', 'too-many');
  return routes.slice(0, MAX_RECORDS);
};

const isUsableSrv = ({ name, port, priority, weight }: SrvRecord): boolean =>
  isName(bare(name)) &&
  [port, priority, weight].every((value) => Number.isInteger(value) && value >= 0 && value <= 0xffff) &&
  port > 0;

const findSrv = async (lookups: Lookups, name: string, note: Note): Promise<SrvFound> => {
  const answer = await lookups.srv(name);
  if (!answer.ok) {
    if (isAbsence(answer.refusal)) return { kind: 'absent' };
    note(name, 'SRV', answer.refusal);
    return { kind: 'failed' };
  }
  if (answer.value.length === 0) return { kind: 'absent' };
  const named = answer.value.filter((record) => bare(record.name) !== '');
  if (named.length === 0) return { kind: 'denied' };
  const usable = named.filter(isUsableSrv).map((record) => ({ ...record, name: bare(record.name) }));
  if (usable.length < named.length) note(name, 'SRV', 'bad-record');
  if (usable.length > MAX_RECORDS) note(name, 'SRV', 'too-many');
  usable.sort((one, other) => one.priority - other.priority);
  return { kind: 'hosts', records: usable.slice(0, MAX_RECORDS) };
};

const srvEndpoints = async (
  name: string,
  records: readonly SrvRecord[],
  lookups: Lookups,
  random: () => number,
  note: Note,
): Promise<readonly SipEndpoint[]> => {
  const perHost = await Promise.all(
    orderSrv(records, random).map(async ({ name: host, port, priority, weight }) => {
      const { addresses, failures } = await lookups.host(host);
      for (const failure of failures) note(failure.name, failure.type, failure.reason);
      return addresses.map(({ address, family }): SipEndpoint => ({ host, address, family, port, priority, weight }));
    }),
  );
  const endpoints = perHost.flat();
  if (endpoints.length > MAX_RECORDS) note(name, 'SRV', 'too-many');
  return endpoints.slice(0, MAX_RECORDS);
};

const atDefaultPort = (transport: Transport, host: string, addresses: readonly ResolvedAddress[]): SipEndpoint[] =>
  addresses.map(({ address, family }) => ({
    host,
    address,
    family,
    port: DEFAULT_PORT[transport],
    priority: 0,
    weight: 0,
  }));

const hostItself = async (
  transport: Transport,
  domain: string,
  offered: true | null,
  lookups: Lookups,
  note: Note,
): Promise<SipService> => {
  const { addresses, failures } = await lookups.named(domain);
  for (const { name, type, reason } of failures) note(name, type, reason);
  return { transport, offered, via: 'address', endpoints: atDefaultPort(transport, domain, addresses) };
};

type Context = Pick<SipOptions, 'transports'> & {
  readonly domain: string;
  readonly lookups: Lookups;
  readonly random: () => number;
  readonly note: Note;
};

/** A domain with NAPTR records: they alone say what is offered. */
const byNaptr = async (transport: Transport, routes: readonly Route[], context: Context): Promise<SipService> => {
  const { domain, lookups, random, note } = context;
  const names = [...new Set(routes.filter((route) => route.transport === transport).map(({ srvName }) => srvName))];
  if (names.length === 0) return { transport, offered: false, via: 'naptr', endpoints: [] };
  const found = await Promise.all(names.map(async (name) => ({ name, srv: await findSrv(lookups, name, note) })));
  for (const { name, srv } of found) {
    if (srv.kind !== 'hosts') continue;
    const endpoints = await srvEndpoints(name, srv.records, lookups, random, note);
    if (endpoints.length > 0) return { transport, offered: true, via: 'naptr', endpoints };
  }
  // RFC 3263 §4.2: without any SRV record it is the domain's own address at the default port.
  if (found.every(({ srv }) => srv.kind === 'absent')) return hostItself(transport, domain, true, lookups, note);
  const denied = found.every(({ srv }) => srv.kind === 'absent' || srv.kind === 'denied');
  return { transport, offered: !denied, via: 'naptr', endpoints: [] };
};

/** A domain without: SRV records under the standard names, or the host itself (RFC 3263 §4.1, §4.2). */
const bySrv = async (naptrKnown: boolean, context: Context): Promise<readonly SipService[]> => {
  const { domain, transports, lookups, random, note } = context;
  // All transports are asked for: records for one that was not wanted say that the others are not offered.
  const found = new Map(
    await Promise.all(
      TRANSPORTS.map(
        async (transport) => [transport, await findSrv(lookups, `${SRV_PREFIX[transport]}.${domain}`, note)] as const,
      ),
    ),
  );
  const hasSrv = [...found.values()].some(({ kind }) => kind === 'hosts' || kind === 'denied');
  return Promise.all(
    transports.map(async (transport): Promise<SipService> => {
      if (!hasSrv) return hostItself(transport, domain, null, lookups, note);
      const srv = found.get(transport) ?? { kind: 'failed' };
      if (srv.kind === 'hosts') {
        const name = `${SRV_PREFIX[transport]}.${domain}`;
        return {
          transport,
          offered: true,
          via: 'srv',
          endpoints: await srvEndpoints(name, srv.records, lookups, random, note),
        };
      }
      // Absence counts only if NAPTR records, which could have named another place, are known to be absent too.
      const refused = srv.kind === 'denied' || (srv.kind === 'absent' && naptrKnown);
      return { transport, offered: refused ? false : null, via: 'srv', endpoints: [] };
    }),
  );
};

const resolveDomain = async (context: Context): Promise<Pick<SipResolution, 'services' | 'preference'>> => {
  const { domain, transports, lookups, note } = context;
  // localhost is never asked of a server (RFC 6761 §6.3).
  if (domain === 'localhost' || domain.endsWith('.localhost')) {
    const services = transports.map((transport) => hostItself(transport, domain, null, lookups, note));
    return { services: await Promise.all(services), preference: [] };
  }
  // What may be needed is asked for at once: a firewall that swallows NAPTR queries must not cost the time for the rest.
  const naptrAsked = lookups.naptr(domain);
  for (const transport of TRANSPORTS) void lookups.srv(`${SRV_PREFIX[transport]}.${domain}`);
  void lookups.named(domain);

  const naptr = await naptrAsked;
  const naptrKnown = naptr.ok || isAbsence(naptr.refusal);
  if (!naptr.ok && !naptrKnown) note(domain, 'NAPTR', naptr.refusal);
  const routes = naptr.ok ? routesOf(domain, naptr.value, note) : [];
  if (routes.length === 0) return { services: await bySrv(naptrKnown, context), preference: [] };
  return {
    services: await Promise.all(transports.map((transport) => byNaptr(transport, routes, context))),
    preference: [...new Set(routes.map(({ transport }) => transport))],
  };
};

/**
 * Finds the SIP endpoints of a target for each transport. Never rejects: what could not be found out is in `failures`,
 * and a lookup that failed is never read as "no such record". While the deadline or `signal` ends it early, what is
 * known by then is returned.
 */
export const resolveSip = async (target: Target, options: SipOptions): Promise<SipResolution> => {
  const { transports, families, dns, signal, deadlineMs = SIP_DEADLINE_MS, random = Math.random } = options;
  const failures = new Map<string, NameFailure>();
  const note: Note = (name, type, reason) => {
    failures.set(`${name} ${type} ${reason}`, { name, type, reason });
  };
  if (target.kind === 'address') {
    const { address, family } = target;
    const usable = families.includes(family) ? [{ address, family }] : [];
    if (usable.length === 0) note(address, 'address', 'no-address');
    return {
      domain: address,
      services: transports.map((transport) => ({
        transport,
        offered: null,
        via: 'literal',
        endpoints: atDefaultPort(transport, address, usable),
      })),
      preference: [],
      failures: [...failures.values()],
    };
  }
  const found = await withDeadline(signal, deadlineMs, (inner) =>
    resolveDomain({ domain: target.name, transports, lookups: createLookups(dns, families, inner), random, note }),
  );
  return { domain: target.name, ...found, failures: [...failures.values()] };
};

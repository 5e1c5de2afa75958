/**
 * Where a domain's SIP service is, found as a SIP user agent finds it (RFC 3263 §4): NAPTR records say which transports
 * it offers, SRV records where, and without either it is the host itself at the default ports.
 */
import { isIP } from 'node:net';
import type { Family } from '../model/check.js';
import { TRANSPORTS, type Transport } from '../model/kinds.js';
import { type Dns, type DnsFailure, isAbsence, type NaptrRecord, type ResolvedAddress, type SrvRecord } from './dns.js';
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
  /** All that the domain's records offer, asked for or not; empty if it has none. */
  readonly offers: readonly SipOffer[];
  readonly failures: readonly NameFailure[];
}

/** Transports that NAPTR services name (RFC 3263 §4.1, RFC 4168, RFC 7118), as people call them. */
const SIP_OFFERS = ['UDP', 'TCP', 'TLS', 'SCTP', 'WebSocket'] as const;
type SipOffer = (typeof SIP_OFFERS)[number];

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

/** The patience of a stub resolver, and what comes after it: with a first server that is silent each step takes longer. */
const SIP_DEADLINE_MS = 14_000;

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

/** The same, and what others speak. */
const OFFER_OF: ReadonlyMap<string, SipOffer> = new Map([
  ['sip+d2u', 'UDP'],
  ['sip+d2t', 'TCP'],
  ['sips+d2t', 'TLS'],
  ['sip+d2s', 'SCTP'],
  ['sips+d2s', 'SCTP'],
  ['sip+d2w', 'WebSocket'],
  ['sips+d2w', 'WebSocket'],
]);
const OFFER_OVER: Readonly<Record<Transport, SipOffer>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' };

type Note = (name: string, type: NameFailure['type'], reason: ResolveFailure, about?: string) => void;

interface Route {
  readonly transport: Transport;
  readonly srvName: string;
}

/** What an SRV lookup says: where, decidedly nowhere (a lone target of "."), no such record, or nothing. */
type SrvFound =
  | { readonly kind: 'hosts'; readonly records: readonly SrvRecord[] }
  | { readonly kind: 'denied' | 'absent' }
  | { readonly kind: 'failed'; readonly failure: DnsFailure };

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

/** Longer ones are cut; what is printed of a record that nobody can use need not be all of it. */
const MAX_ABOUT = 120;

/** What is wrong with a record, or null. */
const faultOfSrv = ({ name, port, priority, weight }: SrvRecord): string | null => {
  const host = bare(name);
  const shown = host.length > MAX_ABOUT ? `${host.slice(0, MAX_ABOUT)}…` : host;
  // A name of digits and dots is what an address literal becomes in a zone file; RFC 2782 wants a host name there.
  if (isIP(host) !== 0) return `its target ${shown} is an address and no host name`;
  if (!isName(host)) return 'its target is no host name';
  if (port === 0) return `it names port 0 of ${shown}`;
  const isWhole = [port, priority, weight].every((value) => Number.isInteger(value) && value >= 0 && value <= 0xffff);
  return isWhole ? null : `its numbers for ${shown} are out of range`;
};

const findSrv = async (lookups: Lookups, name: string, note: Note): Promise<SrvFound> => {
  const answer = await lookups.srv(name);
  if (!answer.ok) {
    if (isAbsence(answer.refusal)) return { kind: 'absent' };
    note(name, 'SRV', answer.refusal);
    return { kind: 'failed', failure: answer.refusal };
  }
  if (answer.value.length === 0) return { kind: 'absent' };
  const named = answer.value.filter((record) => bare(record.name) !== '');
  if (named.length === 0) return { kind: 'denied' };
  const faults = named.map(faultOfSrv);
  const usable = named
    .filter((_, index) => faults[index] === null)
    .map((record) => ({ ...record, name: bare(record.name) }));
  const [fault] = faults.filter((one) => one !== null);
  if (fault !== undefined) note(name, 'SRV', 'bad-record', fault);
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
      for (const failure of failures)
        note(failure.name, failure.type, failure.reason, `the SRV record ${name} names it`);
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
  readonly offer: (what: SipOffer) => void;
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

/** A domain whose NAPTR records name only what we do not speak: none of ours is offered. */
const bySpokenElsewhere = ({ transports }: Context): readonly SipService[] =>
  transports.map((transport) => ({ transport, offered: false, via: 'naptr', endpoints: [] }));

/**
 * No record could be looked up, and the host itself is all that phones can find: the resolver says that it answers no such
 * questions, or none answers at all and the name is one of the hosts file. Whoever fails or is silent where it gives
 * addresses says neither.
 */
const hasOnlyAddresses = async (
  failures: readonly DnsFailure[],
  domain: string,
  lookups: Lookups,
): Promise<boolean> => {
  if (failures.length < TRANSPORTS.length) return false;
  return failures.every((failure) => failure === 'refused') || !(await lookups.isAnswered(domain));
};

/** A domain without: SRV records under the standard names, or the host itself (RFC 3263 §4.1, §4.2). */
const bySrv = async (naptrKnown: boolean, context: Context): Promise<readonly SipService[]> => {
  const { domain, transports, lookups, random, note, offer } = context;
  // All transports are asked for: records for one that was not wanted say that the others are not offered.
  const found = new Map(
    await Promise.all(
      TRANSPORTS.map(
        async (transport) => [transport, await findSrv(lookups, `${SRV_PREFIX[transport]}.${domain}`, note)] as const,
      ),
    ),
  );
  const hasSrv = [...found.values()].some(({ kind }) => kind === 'hosts' || kind === 'denied');
  for (const [transport, { kind }] of found) if (kind === 'hosts') offer(OFFER_OVER[transport]);
  const failed = [...found.values()].flatMap((srv) => (srv.kind === 'failed' ? [srv.failure] : []));
  const onlyAddresses = !naptrKnown && (await hasOnlyAddresses(failed, domain, lookups));
  return Promise.all(
    transports.map(async (transport): Promise<SipService> => {
      const srv = found.get(transport) ?? { kind: 'failed', failure: 'other' };
      // RFC 3263 §4.2: the host itself only where there are no records; where nobody knows, phones get nowhere either.
      if (!hasSrv && (srv.kind === 'absent' || onlyAddresses)) {
        return hostItself(transport, domain, null, lookups, note);
      }
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

/** Asks for all that may be needed at once: a firewall that swallows NAPTR queries must not cost the time for the rest. */
const askAhead = (domain: string, lookups: Lookups): void => {
  void lookups.naptr(domain);
  for (const transport of TRANSPORTS) void lookups.srv(`${SRV_PREFIX[transport]}.${domain}`);
};

/** Whether the DNS knows anything of this name: something is there, or nobody knows whether there is. */
const isKnown = async (domain: string, lookups: Lookups): Promise<boolean> => {
  const isThere = (answer: Awaited<ReturnType<Lookups['srv' | 'naptr']>>): boolean =>
    answer.ok || answer.refusal !== 'not-found';
  askAhead(domain, lookups);
  if (isThere(await lookups.naptr(domain))) return true;
  const records = await Promise.all(TRANSPORTS.map((transport) => lookups.srv(`${SRV_PREFIX[transport]}.${domain}`)));
  return records.some(isThere);
};

/** The complete name: search domains apply to SRV as they do to addresses (RFC 1123 §6.1.4.3). */
const completed = async (domain: string, candidates: readonly string[], lookups: Lookups): Promise<string> => {
  for (const candidate of candidates) if (await isKnown(candidate, lookups)) return candidate;
  return domain;
};

const resolveDomain = async (
  named: Context,
  candidates: readonly string[],
): Promise<Pick<SipResolution, 'services' | 'preference'>> => {
  const { domain, transports, lookups, note, offer } = named;
  // localhost is never asked of a server (RFC 6761 §6.3).
  if (domain === 'localhost' || domain.endsWith('.localhost')) {
    const services = transports.map((transport) => hostItself(transport, domain, null, lookups, note));
    return { services: await Promise.all(services), preference: [] };
  }
  askAhead(candidates[0] ?? domain, lookups);
  void lookups.named(domain);

  const complete = candidates.length > 1 ? await completed(domain, candidates, lookups) : domain;
  const context = { ...named, domain: complete };
  const naptr = await lookups.naptr(complete);
  const naptrKnown = naptr.ok || isAbsence(naptr.refusal);
  if (!naptr.ok && !naptrKnown) note(complete, 'NAPTR', naptr.refusal);
  const records = naptr.ok ? naptr.value : [];
  const routes = routesOf(complete, records, note);
  const spoken = records.flatMap(({ service }) => OFFER_OF.get(service.toLowerCase()) ?? []);
  if (routes.length === 0) {
    const isElsewhere = spoken.length > 0 && spoken.every((what) => what === 'SCTP' || what === 'WebSocket');
    if (isElsewhere) for (const what of spoken) offer(what);
    return { services: isElsewhere ? bySpokenElsewhere(context) : await bySrv(naptrKnown, context), preference: [] };
  }
  for (const what of spoken) offer(what);
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
  const note: Note = (name, type, reason, about) => {
    failures.set(`${name} ${type} ${reason} ${about ?? ''}`, {
      name,
      type,
      reason,
      ...(about !== undefined && { about }),
    });
  };
  const offers = new Set<SipOffer>();
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
      offers: [],
      failures: [...failures.values()],
    };
  }
  const found = await withDeadline(signal, deadlineMs, (inner) =>
    resolveDomain(
      {
        domain: target.name,
        transports,
        lookups: createLookups(dns, families, inner),
        random,
        note,
        offer: (what) => offers.add(what),
      },
      dns.candidates?.(target.name) ?? [target.name],
    ),
  );
  return {
    domain: target.name,
    ...found,
    offers: SIP_OFFERS.filter((what) => offers.has(what)),
    failures: [...failures.values()],
  };
};

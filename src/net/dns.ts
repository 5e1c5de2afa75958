/** Asking the DNS: one interface, so that resolving can be tested without a network, and its real implementation. */
import { execFile } from 'node:child_process';
import { promises as nodeDns } from 'node:dns';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Family } from '../model/check.js';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { socketError } from './errno.js';
import type { LookupResult } from './lookup-process.js';

/** Why a lookup brought no records. The first two are answers; the others mean that nobody knows. */
export const DNS_FAILURES = [
  'not-found', // NXDOMAIN; for `lookup` also a name without any address
  'no-record', // the name exists and has none of this type
  'timeout',
  'server-failure', // SERVFAIL, or what getaddrinfo calls temporary
  'refused', // by the server (REFUSED), or nothing listens there
  'bad-answer', // malformed
  'cancelled',
  'other',
] as const;
export type DnsFailure = (typeof DNS_FAILURES)[number];

/** Does the failure say that there is no such record, rather than that it is unknown? */
export const isAbsence = (failure: DnsFailure): boolean => failure === 'not-found' || failure === 'no-record';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: Family;
}

/** RFC 2782; `name` is the target host. */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** RFC 3403 §4.1. */
export interface NaptrRecord {
  readonly flags: string;
  readonly service: string;
  readonly regexp: string;
  readonly replacement: string;
  readonly order: number;
  readonly preference: number;
}

export type DnsAnswer<T> = Promise<Parsed<readonly T[], DnsFailure>>;

/** Never rejects; an aborted signal gives `cancelled`. */
export interface Dns {
  naptr(name: string, signal: AbortSignal): DnsAnswer<NaptrRecord>;
  srv(name: string, signal: AbortSignal): DnsAnswer<SrvRecord>;
  a(name: string, signal: AbortSignal): DnsAnswer<string>;
  aaaa(name: string, signal: AbortSignal): DnsAnswer<string>;
  /** As applications on this host resolve names: hosts file, search domains, address order (RFC 6724) and all. */
  lookup(name: string, signal: AbortSignal): DnsAnswer<ResolvedAddress>;
}

export interface SystemDnsOptions {
  /** For one lookup with all its tries, in milliseconds. */
  readonly timeoutMs?: number;
  /**
   * Servers to ask instead of the system's, as `address` or `address:port`. `lookup` then asks them as well, and the
   * hosts file does not count.
   */
  readonly servers?: readonly string[];
}

/**
 * Two lookups that depend on each other, SRV after NAPTR or A after SRV, must leave half of an eight-second run. A
 * resolver that has to ask the root answers in less than a second.
 */
const LOOKUP_TIMEOUT_MS = 2_000;
/** The first try is given a third of the time, its repetition the rest, since c-ares doubles the wait. */
const TRIES = 2;

const failureOf = (error: unknown): DnsFailure => {
  const { code } = socketError(error);
  switch (code) {
    case 'ENOTFOUND':
      return 'not-found';
    case 'ENODATA':
      return 'no-record';
    case 'ETIMEOUT':
      return 'timeout';
    case 'ESERVFAIL':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return 'server-failure';
    case 'EREFUSED':
    case 'ECONNREFUSED':
      return 'refused';
    case 'EBADRESP':
    case 'EFORMERR':
      return 'bad-answer';
    case 'ECANCELLED':
      return 'cancelled';
    default:
      return 'other';
  }
};

/** Runs one lookup until it is done, the signal aborts or the time is up; `stop` ends what can be ended. */
const within = <T>(
  timeoutMs: number,
  signal: AbortSignal,
  query: () => Promise<readonly T[]>,
  stop: () => void,
): DnsAnswer<T> =>
  new Promise((resolve) => {
    const finish = (result: Parsed<readonly T[], DnsFailure>): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      resolve(result);
    };
    const cancel = (): void => {
      finish(refuse('cancelled'));
      stop();
    };
    const timer = setTimeout(() => {
      finish(refuse('timeout'));
      stop();
    }, timeoutMs);
    if (signal.aborted) {
      finish(refuse('cancelled'));
      return;
    }
    signal.addEventListener('abort', cancel);
    query().then(
      (records) => finish(accept(records)),
      (error: unknown) => finish(refuse(failureOf(error))),
    );
  });

/** The addresses of both answers; if neither has any, the failure that leaves more open. */
const both = (
  four: Parsed<readonly string[], DnsFailure>,
  six: Parsed<readonly string[], DnsFailure>,
): Parsed<readonly ResolvedAddress[], DnsFailure> => {
  const found = [
    ...(four.ok ? four.value : []).map((address) => ({ address, family: 4 as const })),
    ...(six.ok ? six.value : []).map((address) => ({ address, family: 6 as const })),
  ];
  if (found.length > 0) return accept(found);
  const failures = [four, six].flatMap((answer) => (answer.ok ? [] : [answer.refusal]));
  return refuse(failures.find((failure) => !isAbsence(failure)) ?? failures[0] ?? 'no-record');
};

const LOOKUP_PROCESS = fileURLToPath(new URL('./lookup-process.js', import.meta.url));

/** As getaddrinfo answers. Rejects with its failure, or when `signal` ends the process that asks. */
const askSystem = async (name: string, signal: AbortSignal): Promise<readonly ResolvedAddress[]> => {
  const { stdout } = await promisify(execFile)(process.execPath, [LOOKUP_PROCESS, name], { signal, windowsHide: true });
  const result = JSON.parse(stdout) as LookupResult;
  if ('code' in result) throw Object.assign(new Error(result.code), { code: result.code });
  return result.addresses.map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 }));
};

/**
 * The system's resolver, or the one of `servers`. Every lookup has a channel of its own, so that ending one ends no
 * other and leaves nothing behind. Throws if a server is no address.
 */
export const systemDns = ({ timeoutMs = LOOKUP_TIMEOUT_MS, servers }: SystemDnsOptions = {}): Dns => {
  const channel = (): nodeDns.Resolver => {
    const resolver = new nodeDns.Resolver({ timeout: Math.ceil(timeoutMs / (TRIES + 1)), tries: TRIES });
    if (servers) resolver.setServers(servers);
    return resolver;
  };
  channel();
  const ask = <T>(signal: AbortSignal, query: (resolver: nodeDns.Resolver) => Promise<readonly T[]>): DnsAnswer<T> => {
    const resolver = channel();
    return within(
      timeoutMs,
      signal,
      () => query(resolver),
      () => resolver.cancel(),
    );
  };
  const a: Dns['a'] = (name, signal) => ask(signal, (resolver) => resolver.resolve4(name));
  const aaaa: Dns['aaaa'] = (name, signal) => ask(signal, (resolver) => resolver.resolve6(name));
  return {
    naptr: (name, signal) => ask(signal, (resolver) => resolver.resolveNaptr(name)),
    srv: (name, signal) => ask(signal, (resolver) => resolver.resolveSrv(name)),
    a,
    aaaa,
    lookup: async (name, signal) => {
      if (servers) return both(...(await Promise.all([a(name, signal), aaaa(name, signal)])));
      const end = new AbortController();
      return within(
        timeoutMs,
        signal,
        () => askSystem(name, end.signal),
        () => end.abort(),
      );
    },
  };
};

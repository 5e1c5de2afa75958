/** Asking the DNS: one interface, so that resolving can be tested without a network, and its real implementation. */
import { spawn } from 'node:child_process';
import { getServers } from 'node:dns';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Family } from '../model/check.js';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import type { LookupLine } from './lookup-process.js';
import { candidatesOf, systemSearchRules } from './resolv-conf.js';
import { createStub, type ServerSeen } from './stub.js';

export type { ServerSeen } from './stub.js';

/** Why a lookup brought no records. The first two are answers; the others mean that nobody knows. */
const DNS_FAILURES = [
  'not-found', // NXDOMAIN; for `lookup` also a name without any address
  'no-record', // the name exists and has none of this type
  'timeout',
  'server-failure', // SERVFAIL, or what getaddrinfo calls temporary
  'refused', // by the server, which does not answer such questions (REFUSED, NOTIMP)
  'closed', // nothing listens there, or a firewall refuses in the server's name
  'truncated', // too long for UDP, and the server does not give it over TCP
  'unreachable', // no way to the server
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
  /**
   * As applications on this host resolve names: hosts file, search domains, address order (RFC 6724) and all. Of the
   * families only; an unanswered one takes nothing from the other. Both if left out.
   */
  lookup(name: string, signal: AbortSignal, families?: readonly Family[]): DnsAnswer<ResolvedAddress>;
  /** The complete names that a name as typed may stand for, in order; only itself where it is left out. */
  candidates?(name: string): readonly string[];
  /** What the servers have been like so far; not known where it is left out. */
  servers?(): readonly ServerSeen[];
}

interface SystemDnsOptions {
  /** For one lookup with all its tries, in milliseconds. */
  readonly timeoutMs?: number;
  /**
   * Servers to ask instead of the system's, as `address` or `address:port`. `lookup` then asks them as well, and neither
   * the hosts file nor search domains count.
   */
  readonly servers?: readonly string[];
}

/**
 * The patience of a stub resolver: resolv.conf(5) has 5 s, twice. With a first server that is silent getaddrinfo needs
 * half of it.
 */
const LOOKUP_TIMEOUT_MS = 10_000;
/**
 * Addresses of one family are there, and those of the other are waited for a little longer (RFC 8305 §3 waits 50 ms;
 * nobody waits for a page here, and a resolver that has to go and ask takes longer).
 */
const OTHER_FAMILY_MS = 500;

/** What getaddrinfo's codes say. */
const failureOf = (code: string): DnsFailure => {
  switch (code) {
    case 'ENOTFOUND':
      return 'not-found';
    case 'ENODATA':
      return 'no-record';
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return 'server-failure';
    default:
      return 'other';
  }
};

/** The addresses of both answers; if neither has any, the failure that leaves more open. */
const both = (
  answers: readonly Parsed<readonly ResolvedAddress[], DnsFailure>[],
): Awaited<DnsAnswer<ResolvedAddress>> => {
  const found = answers.flatMap((answer) => (answer.ok ? answer.value : []));
  if (found.length > 0) return accept(found);
  const failures = answers.flatMap((answer) => (answer.ok ? [] : [answer.refusal]));
  return refuse(failures.find((failure) => !isAbsence(failure)) ?? failures[0] ?? 'no-record');
};

const later = (ms: number): Promise<null> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms, null).unref();
  });

/**
 * One question a family, and no longer wait for the one than for the other: where addresses of one are there, what is
 * still open of the other after a moment counts as a timeout.
 */
export const eachFamily = async <T>(
  asked: readonly (() => Promise<Parsed<readonly T[], DnsFailure>>)[],
): Promise<readonly Parsed<readonly T[], DnsFailure>[]> => {
  const questions = asked.map((ask) => ask());
  const found = questions.map(async (question) => {
    const answer = await question;
    if (!answer.ok) return new Promise<null>(() => undefined);
    await later(OTHER_FAMILY_MS);
    return null;
  });
  const enough = Promise.race([Promise.all(questions), ...found]);
  await enough;
  return Promise.all(
    questions.map((question) => Promise.race([question, Promise.resolve(refuse('timeout' as const))])),
  );
};

const LOOKUP_PROCESS = fileURLToPath(new URL('./lookup-process.js', import.meta.url));

/** As getaddrinfo answers, in a process that is ended with the signal, the time, or when enough is known. */
const askSystem = (
  name: string,
  families: readonly Family[],
  signal: AbortSignal,
  timeoutMs: number,
): DnsAnswer<ResolvedAddress> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(refuse('cancelled'));
    const child = spawn(process.execPath, [LOOKUP_PROCESS, name, families.join('')], {
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    });
    const told: LookupLine[] = [];
    let said = '';
    let patience: NodeJS.Timeout | undefined;
    const finish = (result: Parsed<readonly ResolvedAddress[], DnsFailure>): void => {
      clearTimeout(timer);
      clearTimeout(patience);
      signal.removeEventListener('abort', cancel);
      child.kill('SIGKILL');
      resolve(result);
    };
    const cancel = (): void => finish(refuse(signal.reason === 'timeout' ? 'timeout' : 'cancelled'));
    /** All that is known, the answer to the joint question before those about one family. */
    const known = (isTimeUp: boolean): Parsed<readonly ResolvedAddress[], DnsFailure> => {
      const joint = told.find(({ family }) => family === 0);
      const lines = joint && 'addresses' in joint ? [joint] : told.filter((line) => 'addresses' in line);
      const found = lines.flatMap((line) => ('addresses' in line ? line.addresses : []));
      if (found.length > 0) {
        return accept(found.map((address) => ({ address, family: isIP(address) === 6 ? 6 : 4 })));
      }
      const codes = told.flatMap((line) => ('code' in line ? [failureOf(line.code)] : []));
      return refuse(isTimeUp ? 'timeout' : (codes.find((code) => !isAbsence(code)) ?? codes[0] ?? 'other'));
    };
    const timer = setTimeout(() => finish(known(true)), timeoutMs);
    signal.addEventListener('abort', cancel);
    child.on('error', () => finish(refuse('other')));
    child.on('close', () => finish(known(false)));
    child.stdout.on('data', (bytes) => {
      said += String(bytes);
      const lines = said.split('\n');
      said = lines.pop() ?? '';
      for (const line of lines) {
        const one = JSON.parse(line) as LookupLine;
        told.push(one);
        if (one.family === 0) return finish(known(false));
        if ('addresses' in one) patience ??= setTimeout(() => finish(known(false)), OTHER_FAMILY_MS);
      }
    });
  });

/**
 * The system's resolver, or the one of `servers`. Every lookup has sockets of its own, so that ending one ends no other
 * and leaves nothing behind. Throws if a server is no address.
 */
export const systemDns = ({ timeoutMs = LOOKUP_TIMEOUT_MS, servers }: SystemDnsOptions = {}): Dns => {
  const named = servers ?? getServers();
  for (const server of named) {
    if (isIP(server.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([^:]+):\d+$/, '$1')) === 0) {
      throw new RangeError(`${server.slice(0, 80)} is not the address of a DNS server`);
    }
  }
  const stub = createStub({ servers: named, patienceMs: timeoutMs });
  const rules = servers ? null : systemSearchRules();
  const addressOf = ({ address }: { readonly address: string }): string => address;
  const map = <A, B>(answer: Parsed<readonly A[], DnsFailure>, to: (one: A) => B): Parsed<readonly B[], DnsFailure> =>
    answer.ok ? accept(answer.value.map(to)) : answer;
  const a: Dns['a'] = async (name, signal) => map(await stub.ask(name, 'A', signal), addressOf);
  const aaaa: Dns['aaaa'] = async (name, signal) => map(await stub.ask(name, 'AAAA', signal), addressOf);
  return {
    naptr: async (name, signal) =>
      map(await stub.ask(name, 'NAPTR', signal), ({ flags, service, regexp, replacement, order, preference }) => ({
        flags,
        service,
        regexp,
        replacement,
        order,
        preference,
      })),
    srv: async (name, signal) =>
      map(await stub.ask(name, 'SRV', signal), ({ target, port, priority, weight }) => ({
        name: target,
        port,
        priority,
        weight,
      })),
    a,
    aaaa,
    lookup: async (name, signal, families = [4, 6]) => {
      if (!servers) return askSystem(name, families, signal, timeoutMs);
      const answers = await eachFamily(
        families.map((family) => async () => {
          const answer = await (family === 6 ? aaaa(name, signal) : a(name, signal));
          return map(answer, (address): ResolvedAddress => ({ address, family }));
        }),
      );
      return both(answers);
    },
    ...(rules && { candidates: (name: string) => candidatesOf(name, rules) }),
    servers: stub.servers,
  };
};

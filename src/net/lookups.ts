/** The lookups of one resolution: each name asked once, no longer than the deadline, and answers cleaned before use. */
import { setMaxListeners } from 'node:events';
import type { Family } from '../model/check.js';
import { type Parsed, refuse } from '../model/refusal.js';
import {
  type Dns,
  type DnsAnswer,
  type DnsFailure,
  eachFamily,
  isAbsence,
  type NaptrRecord,
  type ResolvedAddress,
  type SrvRecord,
} from './dns.js';
import { isHostAddress } from './target.js';

/** More records or addresses than this are not a service's plan but somebody's mistake or attack. */
export const MAX_RECORDS = 16;

/** What can go wrong with a name besides the lookup itself. */
const NAME_FAILURES = [
  'no-address', // it has no address of the families asked for
  'bad-address', // only addresses that no host has, such as 0.0.0.0
  'bad-record', // an SRV or NAPTR record that cannot be used: no host name, or port 0
  'unsupported-flag', // a NAPTR record that leads elsewhere than to SRV (RFC 3263 §4.1)
  'too-many', // the rest was left out
] as const;
export type ResolveFailure = DnsFailure | (typeof NAME_FAILURES)[number];

export interface NameFailure {
  /** The name that was asked for, never one that an answer brought and nobody checked. */
  readonly name: string;
  /** `address` stands for the host's own resolver, with its hosts file. */
  readonly type: 'NAPTR' | 'SRV' | 'A' | 'AAAA' | 'address';
  readonly reason: ResolveFailure;
  /** What else a reader must know: the record that cannot be used and what is wrong with it, or who named the name. */
  readonly about?: string;
}

export interface Lookups {
  naptr(name: string): DnsAnswer<NaptrRecord>;
  srv(name: string): DnsAnswer<SrvRecord>;
  /** The addresses of a name as the user gave it. */
  named(name: string): Promise<AddressesFound>;
  /** The addresses of a host that the DNS named. */
  host(name: string): Promise<AddressesFound>;
  /** Whether the DNS answers for the addresses of a name, whatever a hosts file says. */
  isAnswered(name: string): Promise<boolean>;
}

interface AddressesFound {
  readonly addresses: readonly ResolvedAddress[];
  readonly failures: readonly NameFailure[];
}

/** Runs `work` under a signal that follows `outer` and aborts as `timeout` after `deadlineMs`. */
export const withDeadline = async <T>(
  outer: AbortSignal | undefined,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const controller = new AbortController();
  // Every lookup listens, and there are more at a time than the ten at which Node suspects a leak.
  setMaxListeners(0, controller.signal);
  const cancel = (): void => controller.abort('cancelled' satisfies DnsFailure);
  const timer = setTimeout(() => controller.abort('timeout' satisfies DnsFailure), deadlineMs);
  outer?.addEventListener('abort', cancel);
  if (outer?.aborted) cancel();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', cancel);
    // What was asked for in advance and turned out not to be needed.
    cancel();
  }
};

/** Waits for a lookup no longer than the signal allows, whatever the implementation does with it. */
const until = <T>(signal: AbortSignal, answer: DnsAnswer<T>): DnsAnswer<T> =>
  new Promise((resolve) => {
    const finish = (result: Parsed<readonly T[], DnsFailure>): void => {
      signal.removeEventListener('abort', stop);
      resolve(result);
    };
    const stop = (): void => finish(refuse(signal.reason === 'timeout' ? 'timeout' : 'cancelled'));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    answer.then(finish, () => finish(refuse('other')));
  });

const once = <T>(ask: (name: string) => Promise<T>): ((name: string) => Promise<T>) => {
  const asked = new Map<string, Promise<T>>();
  return (name) => {
    const known = asked.get(name) ?? ask(name);
    asked.set(name, known);
    return known;
  };
};

/** Keeps what a host of these families can have, each address once; says why nothing is left. */
const clean = (
  found: readonly ResolvedAddress[],
  families: readonly Family[],
): Parsed<{ addresses: readonly ResolvedAddress[]; cut: boolean }, ResolveFailure> => {
  const wanted = found.filter(({ family }) => families.includes(family));
  const distinct = [...new Map(wanted.map((entry) => [entry.address, entry])).values()];
  const usable = distinct.filter(({ address }) => isHostAddress(address));
  if (usable.length === 0) return refuse(distinct.length > 0 ? 'bad-address' : 'no-address');
  return { ok: true, value: { addresses: usable.slice(0, MAX_RECORDS), cut: usable.length > MAX_RECORDS } };
};

/** Lookups that share one memory, one signal and the families wanted, in order of preference. */
export const createLookups = (dns: Dns, families: readonly Family[], signal: AbortSignal): Lookups => {
  const found = (
    name: string,
    type: NameFailure['type'],
    entries: readonly ResolvedAddress[],
    failures: readonly NameFailure[],
  ): AddressesFound => {
    const cleaned = clean(entries, families);
    if (cleaned.ok) {
      const cut: NameFailure[] = cleaned.value.cut ? [{ name, type, reason: 'too-many' }] : [];
      return { addresses: cleaned.value.addresses, failures: [...failures, ...cut] };
    }
    return { addresses: [], failures: failures.length > 0 ? failures : [{ name, type, reason: cleaned.refusal }] };
  };

  const familyOf = async (name: string, family: Family): Promise<Parsed<readonly ResolvedAddress[], DnsFailure>> => {
    const answer = await until(signal, family === 4 ? dns.a(name, signal) : dns.aaaa(name, signal));
    return answer.ok ? { ok: true, value: answer.value.map((address) => ({ address, family })) } : answer;
  };

  return {
    naptr: once((name) => until(signal, dns.naptr(name, signal))),
    srv: once((name) => until(signal, dns.srv(name, signal))),
    named: once(async (name) => {
      const answer = await until(signal, dns.lookup(name, signal, families));
      if (answer.ok) return found(name, 'address', answer.value, []);
      const reason = answer.refusal === 'no-record' ? 'no-address' : answer.refusal;
      return { addresses: [], failures: [{ name, type: 'address', reason }] };
    }),
    host: once(async (name) => {
      const answers = await eachFamily(families.map((family) => () => familyOf(name, family)));
      const type = families[0] === 6 ? 'AAAA' : 'A';
      if (answers.every((answer) => !answer.ok && answer.refusal === 'not-found')) {
        return { addresses: [], failures: [{ name, type, reason: 'not-found' }] };
      }
      // That one family is missing is normal; that it could not be asked for is not.
      const failures = answers.flatMap((answer, index): NameFailure[] =>
        answer.ok || isAbsence(answer.refusal)
          ? []
          : [{ name, type: families[index] === 6 ? 'AAAA' : 'A', reason: answer.refusal }],
      );
      const entries = answers.flatMap((answer) => (answer.ok ? answer.value : []));
      return found(name, type, entries, failures);
    }),
    isAnswered: async (name) => {
      const answers = await eachFamily(families.map((family) => () => familyOf(name, family)));
      return answers.some((answer) => answer.ok || isAbsence(answer.refusal));
    },
  };
};

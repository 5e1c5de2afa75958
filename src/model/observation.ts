/** Facts about one check: what was sent when, what came back from where. No opinion; that is `verdict/`. */
import type { Check } from './check.js';
import type { IcmpFact } from './icmp.js';

/** JSON, because evidence goes into the report as it is. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Evidence = { readonly [key: string]: Json };

/** What a socket error says about the path. One place: `net/errno.ts` maps errno values to these. */
export const FAILURES = [
  'refused', // RST, or ICMP port unreachable
  'reset', // RST after the connection stood
  'host-unreachable', // ICMP host unreachable or prohibited
  'net-unreachable', // ICMP net prohibited
  'prohibited', // ICMPv6 administratively prohibited, policy or reject route
  'no-route', // this host has no route or no address of the family
  'local-denied', // EPERM or EACCES on send: this host's own firewall
  'address-unavailable', // the wanted source address or port is not to be had
  'too-large', // EMSGSIZE
  'exhausted', // descriptors, buffers or ports of this host ran out
  'tls-failed', // the TLS handshake failed after TCP opened
  'closed-early', // the peer closed before a complete answer
  'other',
] as const;
export type Failure = (typeof FAILURES)[number];

/** What the far end attests in an authenticated answer. */
export interface Attestation {
  /** False when the far end received other bytes than we sent. */
  readonly intact: boolean;
  /** Our address and port as the far end saw them. */
  readonly seenAddress: string;
  readonly seenPort: number;
  /** The port at which it arrived; another than the one asked means that something redirected it. */
  readonly arrivalPort: number;
  /**
   * The far end's clock minus ours, in milliseconds, give or take half the round trip; null where it is not known which
   * of several sendings was answered.
   */
  readonly clockSkewMs: number | null;
  /** NAT-T keepalives that the far end saw from this very source before this request. */
  readonly keepalives: number;
  /** Answers of this session that the far end held back to protect itself. */
  readonly heldBack: number;
}

/** One request on its way. */
interface Sendings {
  /** Sendings of this one request; more than one where the protocol retransmits. */
  readonly packets: number;
  /** The source port: which flow it was; null where no connection opened. */
  readonly sourcePort: number | null;
  /** When those sendings went out that stayed unanswered, in milliseconds of the run's clock. */
  readonly lostAtMs: readonly number[];
}

export type Attempt =
  | (Sendings & {
      readonly outcome: 'answer';
      /** Answers to it that arrived, at most `packets`. */
      readonly answers: number;
      /** Null when the answer cannot be tied to one of several sendings of the same request (Karn's rule). */
      readonly rttMs: number | null;
      /** True: carries a valid proof. False: carries none although a reflector would give one. Null: none was asked for. */
      readonly authentic: boolean | null;
      readonly attestation: Attestation | null;
      readonly detail: Evidence;
    })
  | (Sendings & {
      readonly outcome: 'error';
      readonly failure: Failure;
      readonly code: string;
      /** What an opened connection showed before it failed; null if it did not open. */
      readonly opened: Evidence | null;
    })
  | (Sendings & { readonly outcome: 'silence'; readonly opened: Evidence | null });

/** What was sent and answered by checks that answered at least once: what a path is known to lose. */
export interface LossSample {
  readonly trials: number;
  readonly answers: number;
}

/** What became of a port of a range, for those who watch a run. */
export type Mark = readonly [port: number, passes: boolean];

/** What a path lets through only so much of. */
export type PathLimit =
  | { readonly kind: 'rate' /** Packets a second that pass when more are sent. */; readonly packetsPerSecond: number }
  | {
      readonly kind: 'flows' /** Flows that this run had opened when new ones no longer passed. */;
      readonly flows: number;
    };

export interface Observation {
  readonly check: Check;
  readonly attempts: readonly Attempt[];
  /** Sequence numbers of the requests that carried a tag; by them the far end tells which arrived. */
  readonly sequences: readonly number[];
  /** What arrived and was no answer to our question, by reason and count. */
  readonly refused: Readonly<Record<string, number>>;
  /** The same in phrases: what was wrong with what came from the very place that was asked. None if left out. */
  readonly unreadable?: Readonly<Record<string, number>>;
  /** An answer to our very request that came from elsewhere than where it was sent; null or left out: none did. */
  readonly elsewhere?: { readonly address: string; readonly port: number } | null;
  /** Packets of this check that the far end says it saw, or null if it could not be asked. */
  readonly seen: number | null;
  /** Of `seen`, how many the far end says it answered. Null or left out: it did not tell. */
  readonly answered?: number | null;
  /** Why it did not answer the others, with counts. */
  readonly unanswered?: UnansweredCounts;
  /** It had passed, and this is what it came to when it was asked again at the end: nothing was answered. None if left out. */
  readonly atLast?: readonly Attempt[];
  /** Of a port of a slow range: round trips of one flow's packets after its first, in milliseconds. None if left out. */
  readonly settledRttsMs?: readonly number[];
  /** The ICMP error that came for it, with who sent it. Left out where none came, or where this host does not show it. */
  readonly icmp?: IcmpFact;
  /** Why the check was not asked, or null if it was. */
  readonly notRun: NotRun | null;
}

/** Why the far end did not answer what arrived: its own doing, and never the path's. */
export const UNANSWERED = [
  'too-large', // the least answer would have been larger than the request, which nobody may be sent
  'held-back', // the session asked more than its share
  'replay', // it looked like a captured request that somebody sends again
  'busy', // its own ceilings of work or memory were reached
] as const;
export type Unanswered = (typeof UNANSWERED)[number];
type UnansweredCounts = Readonly<Partial<Record<Unanswered, number>>>;

/** Why a question was not asked. */
export const NOT_RUN = [
  'dns-failure', // the name does not resolve
  'no-network', // no route, no address of the family
  'needs-reflector', // a third party does not answer this
  'not-offered', // the target's NAPTR or SRV records do not offer this transport
  'not-listening', // the reflector says that it does not listen there
  'inbound-not-offered', // the reflector does not try ports from outside
  'needs-connection', // nor for whom it does not know by a connection
  'interrupted', // SIGINT, or the run's deadline came first
] as const;
export type NotRun = (typeof NOT_RUN)[number];

/** What is known besides a check's own attempts when it is judged: of its address, of the path, and what a call bears. */
import type { Check, Key } from '../model/check.js';
import {
  type ConnectionFacts,
  countWithin,
  EDGE_MS,
  type FlowFacts,
  type Recurrence,
  type ShutFor,
  type Silence,
  type Span,
} from '../model/far-end.js';
import type { Attempt, PathLimit } from '../model/observation.js';
import type { Thresholds } from '../model/profile.js';

/** What is known about an address besides the check itself. */
export interface FarEndState {
  /** `reflector` only once it has proven itself with an authentic answer. */
  readonly role: 'reflector' | 'third-party';
  /** Anything at all from this address answered: the control without which nothing is blamed. */
  readonly alive: boolean;
  /** How many different questions went to this address; a lone one has no control. */
  readonly asked: number;
  /** What the reflector says it listens on, or null if it could not be asked. */
  readonly listens: Listens | null;
  /** Ports of UDP on which other bytes than this check's passed. */
  readonly openUdpPorts: ReadonlySet<number>;
  /** What was found to limit the path over UDP; null or left out where nothing was. */
  readonly limit?: PathLimit | null;
  /** Answers and connections that the reflector says it held back to protect itself; 0 if left out. */
  readonly heldBack?: number;
  /** It had proven itself, and did not answer any more at the end of the run: why, as far as that shows. */
  readonly ended?: 'outage' | 'cut-off' | null;
  /** What became of flows to known ports; null or left out where nothing gave reason to look. */
  readonly flows?: FlowFacts | null;
  /** The same of connections. */
  readonly connections?: ConnectionFacts | null;
  /** When it was alive; left out where nothing was watched, and then every silence counts. */
  readonly aliveDuring?: { readonly atAll: readonly Span[]; readonly overUdp: readonly Span[] };
  /** When it was not, where it was watched. */
  readonly silences?: readonly Silence[];
  /** Again and again nothing came from it, for more of the time than calls bear; null or left out where not. */
  readonly recurrence?: Recurrence | null;
  /** UDP ports that were shut for a time, by themselves. */
  readonly shutFor?: ReadonlyMap<number, ShutFor>;
  /** Of somebody else's server: whether the line to it loses more than that; none if left out. */
  readonly lineLoses?: (lossRatio: number) => boolean;
  /** The same: whether the way to it takes longer than that, and not the server. */
  readonly isWayLong?: (rttMs: number) => boolean;
  /** Checks of which nothing as long passes, whatever it is, while short messages do. */
  readonly onlyShortPasses?: ReadonlySet<Key>;
  /** Of these, how many bytes a longer message has that passes on the same port. */
  readonly passesAgain?: ReadonlyMap<Key, number>;
  /** Ports of UDP on which ESP passed in a small packet. */
  readonly smallEspPorts?: ReadonlySet<number>;
}

export interface Listens {
  readonly udp: readonly PortSpan[];
  /** Each speaks plain TCP and TLS alike. */
  readonly tcp: readonly PortSpan[];
  /** It listens on more than it had room to tell; false if left out. */
  readonly isCut?: boolean;
  /** UDP ports at which its host lately dropped datagrams before they were read. */
  readonly overruns?: readonly PortSpan[];
  /** UDP ports at which datagrams from our address lately arrived that it could not read. */
  readonly unreadable?: readonly PortSpan[];
  /** The longest that its own work lately waited, in milliseconds. */
  readonly lateMs?: number;
  /** Fingerprint of the certificate that it shows, as Node prints it (`AB:CD:…`). */
  readonly certificateSha256: string | null;
}
type PortSpan = readonly [from: number, to: number];

/** What the whole path is known to lose, and what a call bears. */
export interface Circumstances {
  readonly lossUpperBound: number | null;
  /** The probability of a false "blocked" that is tolerated for this check. */
  readonly doubt: number;
  readonly thresholds: Pick<Thresholds, 'lossRatio' | 'rttMs'>;
}

/** Whether one of the spans, ends included, has the port. */
export const isWithin = (spans: readonly PortSpan[], port: number): boolean =>
  spans.some(([from, to]) => from <= port && port <= to);

/** Whether the far end listens there; null if it could not be asked, or told of some ports only and not of this one. */
export const listensOn = (listens: Listens | null, check: Pick<Check, 'transport' | 'port'>): boolean | null => {
  if (listens === null) return null;
  return isWithin(listens[check.transport === 'udp' ? 'udp' : 'tcp'], check.port) || (listens.isCut ? null : false);
};

/**
 * Twenty calls at fifty packets a second each way: a limit above hurts no branch, and may be this host's own. What lies
 * below is told of every range, because a range stands for many calls at once.
 */
const HARMLESS_PPS = 1000;

/** As many flows serve five hundred calls, RTP and RTCP each. */
const HARMLESS_FLOWS = 1000;

/** Whether the path passes fewer packets a second, or fewer flows, than the calls of a branch need. */
export const limitsCalls = (limit: PathLimit | null | undefined): boolean => {
  if (!limit) return false;
  return limit.kind === 'rate' ? limit.packetsPerSecond < HARMLESS_PPS : limit.flows < HARMLESS_FLOWS;
};

/** How many of an observation's unanswered packets went out while nobody vouches that the address was alive. */
export const unwitnessedBy = (
  { aliveDuring, shutFor }: FarEndState,
  { transport, port }: Pick<Check, 'transport' | 'port'>,
  attempts: readonly Attempt[],
): number => {
  const shut = transport === 'udp' ? shutFor?.get(port) : undefined;
  const alive = transport === 'udp' ? aliveDuring?.overUdp : aliveDuring?.atAll;
  if (alive === undefined) return 0;
  // Who said no before the first answer came was somebody else, or a far end that was not up yet.
  const [first, ...others] = alive;
  const answering = first ? [[first[0] + EDGE_MS, first[1]] as const, ...others] : [];
  return attempts.reduce(
    (sum, { outcome, lostAtMs }) =>
      sum +
      lostAtMs.length -
      countWithin(
        outcome === 'error' ? answering : alive,
        shut ? lostAtMs.filter((atMs) => atMs > shut.toMs) : lostAtMs,
      ),
    0,
  );
};

/** What a run learns of an address that may be a reflector's: who is there, what it says of itself, what passes besides. */
import type { Check, Key } from './check.js';
import type { PathLimit } from './observation.js';

export type PortSpan = readonly [from: number, to: number];

/** What a reflector says of itself. */
export interface ReflectorInfo {
  readonly version: string;
  readonly udp: readonly PortSpan[];
  /** Each of these speaks plain TCP and TLS alike. */
  readonly tcp: readonly PortSpan[];
  /** It listens on more than it had room to tell; false if left out. */
  readonly isCut?: boolean;
  /** UDP ports at which datagrams were lately dropped before the reflector could read them. */
  readonly overruns?: readonly PortSpan[];
  /** UDP ports at which datagrams from our address lately arrived that carried no token that holds. */
  readonly unreadable?: readonly PortSpan[];
  /** The longest that its own work lately waited, in milliseconds. */
  readonly lateMs?: number;
  /** When it started, by its own clock: milliseconds since 1970; left out by older ones. */
  readonly startedAtMs?: number;
  /** It connects to ports that an agent names at its own address; left out where it does not. */
  readonly inbound?: true;
  /** It is the other end of agents' calls; left out where it is not. */
  readonly calls?: true;
  /** Fingerprint of the certificate that it shows, as `AB:CD:…`; null if it speaks no TLS. */
  readonly certificateSha256: string | null;
}

export interface Identity {
  readonly info: ReflectorInfo;
  /** Where its word came through. */
  readonly control: Check;
}

/** A stretch of time in which an address answered again and again, in milliseconds of the run's clock. */
export type Span = readonly [fromMs: number, toMs: number];

/**
 * What goes out together with the very first answered question belongs to its stretch, in milliseconds: the stretches of a far
 * end begin so long before it.
 */
export const EDGE_MS = 100;

/** How many of these moments lie within a stretch, both ends included. */
export const countWithin = (spans: readonly Span[], atMs: readonly number[]): number =>
  atMs.filter((moment) => spans.some(([from, to]) => moment >= from && moment <= to)).length;

/** A stretch in which it did not answer where it had before and was asked again. */
export interface Silence {
  readonly fromMs: number;
  /** Null where it had not answered again when the run ended. */
  readonly toMs: number | null;
  /** `udp` where answers over connections came meanwhile, `tcp` where answers over UDP did. */
  readonly what: 'everything' | 'udp' | 'tcp';
  /** Questions to what is known to answer, in vain. */
  readonly asked: number;
  /** How many different UDP ports those went to; left out where that is not known. */
  readonly places?: number;
  /** Flows that this run had opened to the address until then, and how many of them in the seconds before. */
  readonly flows: number;
  readonly recentFlows: number;
}

/** Again and again nothing came for a while. */
export interface Recurrence {
  readonly count: number;
  /** What most of them last, in milliseconds. */
  readonly usualMs: number;
  /** Of the time in which the far end was watched; 0 to 1. */
  readonly share: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Connections were away as well, most of the time. */
  readonly isOfAll: boolean;
  /** Null where either may have done it. */
  readonly by: 'guard' | 'line' | null;
}

/** A moment from which on we were seen under another address, in milliseconds of the run's clock. */
export interface AddressChange {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
}

/** Several source ports, each of which asked the same known port a few times. */
export interface FlowFacts {
  readonly asked: number;
  /** Answered nothing. */
  readonly dead: number;
  /** So many packets each of those was asked in vain, at least; 0 where none died. */
  readonly packetsOfDead: number;
  /** Answered all but the first, or all but the first few; and how many packets of theirs those were together. */
  readonly firstLost: number;
  readonly firstPackets: number;
  /** Answered the first later than the others, by more than calls bear. */
  readonly firstHeld: number;
  /** Packets of those that lived, and how many of them stayed unanswered. */
  readonly packetsOfLiving: number;
  readonly lostOfLiving: number;
}

/** Connections to a port that is known to pass. */
export interface ConnectionFacts {
  readonly asked: number;
  /** Never opened: no SYN of theirs was answered. */
  readonly dead: number;
  /** Asked one after the other, with pauses, all opened: it is how many are opened in a moment. False if left out. */
  readonly isLimited?: boolean;
}

/** A UDP port that passed nothing at first, or for a time, and passes since: what went there meanwhile is no loss of the line. */
export interface ShutFor {
  readonly port: number;
  /** When the first and the last packet went there in vain. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FarEndFacts {
  readonly address: string;
  /** Null where nobody has proven to be a reflector by telling what it is. */
  readonly identity: Identity | null;
  /** It speaks our protocol and does not know our token. */
  readonly tokenRefused: boolean;
  /** It speaks another version of our protocol. */
  readonly versionRefused: boolean;
  /** It knows our token, and our clock is too far from its own for it to prove anything. */
  readonly clockRefused: boolean;
  /** It gave its word at first, and at the end of the run nothing answers any more where it came through. */
  readonly isGone: boolean;
  /** It does not remember what it had answered before a silence: it was restarted, or another one took its place. */
  readonly isForgetful: boolean;
  /** And its host, or something before it, refuses what is asked there: no guard that drops, but an end. */
  readonly isRefusing: boolean;
  /** Answers and connections that it says it held back to protect itself. */
  readonly heldBack: number;
  /** UDP ports on which a bare tag passed where the check's own protocol did not. */
  readonly otherBytesPorts: readonly number[];
  /** Checks of which other bytes of the same length stayed silent as well, while short ones passed on their port. */
  readonly onlyShortPasses: readonly Key[];
  /** Of these, on whose port a longer message of other bytes passed, and of how many bytes. */
  readonly passesAgain: readonly { readonly key: Key; readonly bytes: number }[];
  /** UDP ports on which ESP passed in a small packet where a large one stayed silent. */
  readonly smallEspPorts: readonly number[];
  /** What limits the path there over UDP, where something does. */
  readonly limit: PathLimit | null;
  /** What became of flows to ports that are known to pass; null where nothing gave reason to look. */
  readonly flows: FlowFacts | null;
  /** The same of connections. */
  readonly connections: ConnectionFacts | null;
  /** When it was alive: silence at other times is evidence of nothing. */
  readonly alive: readonly Span[];
  /** The same over UDP, which can be away alone. */
  readonly aliveOverUdp: readonly Span[];
  /** When it was not. */
  readonly silences: readonly Silence[];
  /** Stretches over UDP that ended, shorter ones included: of one of them nothing is said, of many that the line comes and goes. Empty if left out. */
  readonly pauses?: readonly Silence[];
  /** UDP ports that were shut for a time, by themselves. */
  readonly shutFor: readonly ShutFor[];
  /** When our public address changed as a whole; empty where it did not, and where several were in use at once. */
  readonly addressChanges: readonly AddressChange[];
}

/** Of an address of which nothing is known yet. */
export const unknownFarEnd = (address: string): FarEndFacts => ({
  address,
  identity: null,
  tokenRefused: false,
  versionRefused: false,
  clockRefused: false,
  isGone: false,
  isForgetful: false,
  isRefusing: false,
  heldBack: 0,
  otherBytesPorts: [],
  onlyShortPasses: [],
  passesAgain: [],
  smallEspPorts: [],
  limit: null,
  flows: null,
  connections: null,
  alive: [],
  aliveOverUdp: [],
  silences: [],
  shutFor: [],
  addressChanges: [],
});

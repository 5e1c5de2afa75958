/** What a run learns of an address that may be a reflector's: who is there, what it says of itself, what passes besides. */
import type { Check } from './check.js';
import type { PathLimit } from './observation.js';

export type PortSpan = readonly [from: number, to: number];

/** What a reflector says of itself. */
export interface ReflectorInfo {
  readonly version: string;
  readonly udp: readonly PortSpan[];
  /** Each of these speaks plain TCP and TLS alike. */
  readonly tcp: readonly PortSpan[];
  /** UDP ports at which datagrams were lately dropped before the reflector could read them. */
  readonly overruns?: readonly PortSpan[];
  /** Fingerprint of the certificate that it shows, as `AB:CD:…`; null if it speaks no TLS. */
  readonly certificateSha256: string | null;
}

export interface Identity {
  readonly info: ReflectorInfo;
  /** Where its word came through. */
  readonly control: Check;
}

export interface FarEndFacts {
  readonly address: string;
  /** Null where nobody has proven to be a reflector by telling what it is. */
  readonly identity: Identity | null;
  /** It speaks our protocol and does not know our token. */
  readonly tokenRefused: boolean;
  /** It speaks another version of our protocol. */
  readonly versionRefused: boolean;
  /** It gave its word at first, and at the end of the run nothing answers any more where it came through. */
  readonly isGone: boolean;
  /** Answers and connections that it says it held back to protect itself. */
  readonly heldBack: number;
  /** UDP ports on which a bare tag passed where the check's own protocol did not. */
  readonly otherBytesPorts: readonly number[];
  /** UDP ports on which ESP passed in a small packet where a large one stayed silent. */
  readonly smallEspPorts: readonly number[];
  /** What limits the path there over UDP, where something does. */
  readonly limit: PathLimit | null;
}

/** Of an address of which nothing is known yet. */
export const unknownFarEnd = (address: string): FarEndFacts => ({
  address,
  identity: null,
  tokenRefused: false,
  versionRefused: false,
  isGone: false,
  heldBack: 0,
  otherBytesPorts: [],
  smallEspPorts: [],
  limit: null,
});

/**
 * What a ladder of growing hop limits brings home: which router told of each limit that its packet ended there (RFC 792 and
 * RFC 4443 §3.3, time exceeded), for a port that is blocked and for ports that pass beside it.
 */
import type { Family } from './check.js';
import type { IcmpPlace } from './icmp.js';
import type { AskedKind, Transport } from './kinds.js';

/** One climb: the address that answered to each limit, the first to limit 1; null for none. */
export interface Climb {
  readonly seen: readonly (string | null)[];
  /** The lowest limit with which the far end was reached and answered; null if it did not answer. */
  readonly reachedAt: number | null;
}

/** One port, climbed to several times over one flow. */
export interface Ladder {
  readonly id: string;
  readonly probe: AskedKind;
  readonly transport: Transport;
  readonly port: number;
  /** It is blocked; else it passes, and shows what the path looks like. */
  readonly isBlocked: boolean;
  readonly climbs: readonly Climb[];
}

/** The ladders of one address, climbed side by side. */
export interface HopFacts {
  readonly address: string;
  readonly family: Family;
  readonly ladders: readonly Ladder[];
  /** Where each router's address lies, seen from this host. */
  readonly places: Readonly<Record<string, IcmpPlace>>;
  /** This site's addresses as the far end sees them; empty where it was not told. */
  readonly mapped: readonly string[];
  /** This host's own address towards it. */
  readonly local: string | null;
}

/** What one probe asks, and how much it may send: the command line and the agent's configuration both come to this. */
import type { Account } from '../model/account.js';
import type { Family } from '../model/check.js';
import type { Transport } from '../model/kinds.js';
import type { CallOptions, MediaOptions } from '../model/run.js';
import type { Plmn } from '../plan/epdg.js';
import type { InboundWish } from '../plan/inbound.js';

/** What is asked of whom. */
export interface ProbeRequest {
  /** Null where the profiles or the carrier name the host. */
  readonly target: string | null;
  /** The signalling port of the target, in place of the profile's; null: as its name or the records say. */
  readonly port: number | null;
  /** `user@domain` as whom SIP is asked; null: this host's own address. */
  readonly from: string | null;
  readonly reflectors: readonly string[];
  /** Names of bundled profiles, or files. */
  readonly profiles: readonly string[];
  readonly rtpRange: readonly [from: number, to: number] | null;
  readonly exhaustive: boolean;
  /** Signalling transports that the deployment uses; null for all that the profiles name. */
  readonly transports: readonly Transport[] | null;
  /** The carrier whose gateway is asked, or nulls. */
  readonly plmn: Plmn;
  /** Ports of this host that the far end is to try; none if left out. */
  readonly inbound?: readonly InboundWish[];
  readonly tokenFile: string | null;
  /** A token file that others can read is refused, and not only warned of; false if left out. */
  readonly strict?: boolean;
  readonly families: readonly Family[];
  /** By range: ports to ask besides the sample. */
  readonly watched?: Readonly<Record<string, readonly number[]>>;
}

/** How it is asked. */
export interface ProbePace {
  readonly source: string | null;
  readonly maxPps: number;
  /** The whole run, in milliseconds. */
  readonly timeoutMs: number;
  /** Adds what takes minutes. */
  readonly deep: boolean;
  /** Asks once what is there, and studies nothing: no ALG, NAT, sizes or audio; false if left out. */
  readonly quick?: boolean;
  /** Rehearses calls; does not if left out. */
  readonly calls?: CallOptions;
  /** With which one call is made; none if left out. */
  readonly account?: Account;
  /** Whether it is asked how the NAT maps and filters. */
  readonly nat: boolean;
  /** A source port that is the same in each run, so that what firewalls remember of it shows. */
  readonly persistentPort?: number;
  /** Ports asked between those of the samples, at each address at most; a default that finds holes of 64 ports. */
  readonly scouts?: number;
  /** Follows blocked ports hop by hop, beside some that pass; does not if left out. */
  readonly hops?: true;
  /** The stream of audio; none if left out. */
  readonly media?: Omit<MediaOptions, 'maxPps'>;
}

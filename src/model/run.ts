/** What goes into a run and what comes out of it: plain data, because a thread lies between. */
import type { Account } from './account.js';
import type { InboundPort, PlannedCheck, PlannedRange } from './check.js';
import type { FarEndFacts } from './far-end.js';
import type { Codec } from './media.js';
import type { LossSample, Mark, Observation } from './observation.js';

/** A stream of audio beside the other questions. */
export interface MediaOptions {
  /** How long it lasts; none is sent for 0. */
  readonly seconds: number;
  readonly codec: Codec;
  /** How many at once are tried in the end, beginning with one; 1 for none but the stream itself. */
  readonly calls: number;
  /** The run's pace, of which the streams take their share. */
  readonly maxPps: number;
}

/** How calls are rehearsed. */
export interface CallOptions {
  /** How long the far end waits before it calls, and how long the long call lasts; by default longer than firewalls forget. */
  readonly idleMs?: number;
}

/** Which studies of proven far ends a run makes. */
export interface StudyOptions {
  /** Adds what takes minutes. */
  readonly deep: boolean;
  /** How the NAT maps and filters. */
  readonly nat: boolean;
  /** The source port that an agent keeps from run to run; none of a person's. */
  readonly persistentPort?: number;
  /** Ports at which it listens while the far end tries them; none if left out. */
  readonly inbound?: readonly InboundPort[];
  /** How far packets of blocked ports come, beside some that pass; not asked if left out. */
  readonly hops?: true;
  /** None if left out. */
  readonly media?: MediaOptions;
  /** How calls are rehearsed; they are not if left out. */
  readonly calls?: CallOptions;
}

export interface RunInput {
  readonly questions: readonly PlannedCheck[];
  /** Ranges of which the questions hold a sample. */
  readonly ranges: readonly PlannedRange[];
  readonly token: Uint8Array | null;
  /** Addresses that may be a reflector's; third parties are asked without a token. Null: any may be. */
  readonly reflectorAddresses: readonly string[] | null;
  readonly sessionId: Uint8Array;
  readonly maxPps: number;
  /** The whole run, in milliseconds; what is not known by then is `not-run`. */
  readonly timeoutMs: number;
  readonly source: string | null;
  /** With which one call is made at the target; none if left out. */
  readonly account?: Account;
  /** Ports asked between those of the samples, at each address at most. `MAX_SCOUTS` if left out. */
  readonly scouts?: number;
  /** What is asked of proven reflectors besides the checks; nothing if left out. */
  readonly studies?: StudyOptions;
}

/** What was put on the wire and came back, over the whole run. */
export interface Totals {
  packetsSent: number;
  bytesSent: number;
  packetsReceived: number;
}

/** `F` is what the studies bring home. */
export interface RunOutput<F> {
  readonly observations: readonly Observation[];
  /** Of every address that may be a reflector's. */
  readonly farEnds: readonly FarEndFacts[];
  readonly facts: F;
  readonly loss: LossSample;
  /** When the run began, on its own clock: times of facts are to be counted from here. */
  readonly begunAtMs: number;
  /** Flows that sweeps opened: what a firewall in between had to remember of them. */
  readonly sweptFlows: number;
  readonly totals: Totals;
  /** What ended the run before all was asked, or null. */
  readonly cutShort: 'deadline' | 'signal' | null;
  /** The worst delay of the event loop, in milliseconds. */
  readonly eventLoopDelayMs: number;
  /** What nine in ten of its turns stayed below: part of a usual round trip. */
  readonly usualDelayMs: number;
}

/** Told after each check how many are done, and of ports of a sweep what became of them. */
export type OnProgress = (done: number, marks?: readonly Mark[]) => void;

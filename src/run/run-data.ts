/** What goes into a run and what comes out of it: plain data, because a thread lies between. */
import type { Mark, Observation, PathLimit } from '../model/observation.js';
import type { StudyFacts } from '../model/study-facts.js';
import type { PlannedCheck, PlannedRange } from '../plan/plan.js';
import type { LossSample } from '../verdict/silence.js';
import type { Totals } from './net.js';
import type { Identification } from './phases/identify.js';
import type { StudyOptions } from './studies/registry.js';

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
  /** Ports asked between those of the samples, at each address at most. `MAX_SCOUTS` if left out. */
  readonly scouts?: number;
  /** What is asked of proven reflectors besides the checks; nothing if left out. */
  readonly stages?: StudyOptions;
}

export interface RunOutput {
  readonly observations: readonly Observation[];
  /** By address. */
  readonly identities: readonly (readonly [address: string, Identification])[];
  /** UDP ports on which a bare tag passed where the check's own protocol did not, as `address/port`. */
  readonly otherBytesPassed: readonly string[];
  /** What each reflector says it held back to protect itself. */
  readonly heldBack: readonly (readonly [address: string, count: number])[];
  /** UDP ports on which ESP passed in a small packet where a large one stayed silent, as `address/port`. */
  readonly smallEspPassed: readonly string[];
  readonly stages: StudyFacts;
  readonly loss: LossSample;
  /** By address: what limits the path, where something does. */
  readonly limits: readonly (readonly [address: string, PathLimit])[];
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

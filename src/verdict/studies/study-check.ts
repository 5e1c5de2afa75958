/** What studies add to a report, and how their judges answer: pure functions of what a study brought home. */
import type { Family } from '../../model/check.js';
import type { Transport } from '../../model/kinds.js';
import type { Evidence, LossSample } from '../../model/observation.js';
import type { Thresholds } from '../../model/profile.js';
import type { Report } from '../../model/report.js';
import type { Finding } from '../../model/verdict.js';
import type { AlgClass } from './alg.js';

export interface AlgFinding {
  readonly transport: Transport;
  readonly port: number;
  readonly method: string;
  readonly direction: 'outbound' | 'inbound';
  readonly kind: 'rewritten' | 'dropped' | 'pinhole';
  readonly class: AlgClass;
  readonly field: string;
  readonly sent: string;
  readonly received: string;
}

/** One line of the report's `checks` that no single exchange could give. */
export interface StudyCheck {
  readonly probe:
    | 'call'
    | 'sip-alg'
    | 'size-sweep'
    | 'nat-behavior'
    | 'stun-binding'
    | 'udp-echo'
    | 'inbound'
    | 'media-stream';
  readonly transport: Transport;
  readonly port: number;
  readonly address: string;
  readonly family: Family;
  readonly finding: Finding;
  readonly confidence: number;
  readonly sent: number;
  readonly seen: number | null;
  /** Of `seen`, how many the far end says it answered; null or left out if it did not tell. */
  readonly answered?: number | null;
  readonly received: number;
  readonly evidence: Evidence;
  /** What a service makes of it, where that is less than the finding. */
  readonly harm?: Finding;
  /** Only messages that are longer than those with which phones register do not pass. */
  readonly leavesShort?: true;
}

/** What one study comes to. What it leaves out it knows nothing of. */
export interface Judged {
  readonly checks?: readonly StudyCheck[];
  readonly sipAlg?: { readonly detected: boolean | null; readonly findings: readonly AlgFinding[] };
  readonly nat?: Partial<Report['nat']>;
  readonly quality?: Report['quality'];
  /** How many calls at once pass; null where it was not asked or is not known. */
  readonly capacity?: NonNullable<Report['capacity']> | null;
  /** Calls that were rehearsed, step by step. */
  readonly calls?: NonNullable<Report['calls']>;
  /** How far packets come. */
  readonly hops?: readonly NonNullable<Report['hops']>[number][];
  /** Ports where messages arrive in another form and say the same, as `placeOf` names them. */
  readonly cosmetic?: ReadonlySet<string>;
  /** Sentences that a reader of the report must know. */
  readonly notes?: readonly string[];
}

/** Judges the facts of all far ends; `loss` is what the checks say of the path, `thresholds` what the strictest profile bears. */
export type Judge<F> = (facts: readonly F[], loss: LossSample, thresholds: Thresholds) => Judged;

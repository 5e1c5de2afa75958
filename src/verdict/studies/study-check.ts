/** What stages add to a report: lines among its checks that no single exchange could give, and findings about SIP. */
import type { Family, Transport } from '../../model/check.js';
import type { Evidence } from '../../model/observation.js';
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
  readonly probe: 'sip-alg' | 'size-sweep' | 'nat-behavior' | 'stun-binding' | 'udp-echo';
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
}

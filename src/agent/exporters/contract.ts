/** What an exporter is: a place where records of the spool go. One file per exporter. */
import type { RunKind } from '../config/schema.js';

export const RECORD_KINDS = ['report', 'change', 'event'] as const;
type RecordKind = (typeof RECORD_KINDS)[number];

/** One result as it lies in the spool. */
export interface SpoolRecord {
  /** UUIDv7; the same record is never offered under another id, so receivers may drop what they know. */
  readonly id: string;
  readonly kind: RecordKind;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Which target of the configuration it belongs to. */
  readonly target: string;
  /** Of a report: what kind of run it is of. Absent in records of versions before it. */
  readonly run?: RunKind;
  /** The report (`callpath.report/1`), the change or the event, as JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** How a delivery ended. `refused` records are never offered again: the receiver will not take them. */
export type Delivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'retry'; readonly why: string; readonly afterMs: number | null }
  | { readonly outcome: 'refused'; readonly why: string };

export interface Exporter {
  /** Its name in the configuration, logs and metrics. */
  readonly name: string;
  /**
   * Told once, before the first delivery: the newest reports that it had taken before the agent was started again. For
   * exporters that show a state.
   */
  remember?(records: readonly SpoolRecord[]): void;
  /** Delivers records in order, all or none as far as the receiver can tell. Rejects only on a defect. */
  deliver(records: readonly SpoolRecord[], signal: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}

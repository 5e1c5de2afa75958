/** What a confirmed change says. */
import type { RunKind } from '../config/schema.js';
import type { SubjectKind } from './digest.js';
import type { State } from './state.js';

/** A confirmed change, as it is exported (`callpath.change/1`, before ids and names are added). */
export interface Change {
  readonly subject: { readonly kind: SubjectKind; readonly id: string };
  /** The host that it is of; null where it is of several, or of none. */
  readonly host: string | null;
  /** `found`: it was not told before, and may have been there for longer. */
  readonly what: 'changed' | 'found' | 'flapping' | 'settled';
  readonly direction: 'better' | 'worse' | 'different';
  readonly before: State | null;
  readonly beforeSince: number | null;
  readonly after: State;
  readonly firstSeen: number;
  readonly runKind: RunKind;
  readonly reports: readonly string[];
  readonly evidence: Readonly<Record<string, unknown>>;
}

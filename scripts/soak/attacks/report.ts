/** What an attack comes back with. */
import type { Beside } from './beside.js';

export interface AttackResult {
  /** Figures, a line each. */
  readonly lines: readonly string[];
  /** Empty where everything held. */
  readonly findings: readonly string[];
  /** Probes that ran beside it. */
  readonly probes: number;
}

/** How often probes said what. */
export const lineOf = (beside: Beside | null): string =>
  Object.entries(beside?.said ?? {})
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');

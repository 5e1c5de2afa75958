/** What an attack comes back with. */
export interface AttackResult {
  /** Figures, a line each. */
  readonly lines: readonly string[];
  /** Empty where everything held. */
  readonly findings: readonly string[];
  /** Probes that ran beside it. */
  readonly probes: number;
}

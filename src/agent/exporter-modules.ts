/**
 * The exporters that a configuration may name, as the agent sees them: a type is checked without opening anything, and
 * what was checked can be opened. The types themselves are in `exporters/`.
 */
import type { Exporter } from './exporters/contract.js';

/** What the daemon hands to every exporter. */
export interface ExporterDeps {
  /** The exporter's name in the configuration. */
  readonly name: string;
  readonly agentId: string;
  readonly version: string;
  readonly hostname: string;
  readonly log: Record<
    'info' | 'warn' | 'error',
    (details: Readonly<Record<string, unknown>>, message: string) => void
  >;
  /** Wall-clock milliseconds since 1970. */
  readonly now: () => number;
  /** A file that the configuration names. What it holds is never logged. @throws UserError naming the file */
  readonly readFile: (file: string) => Promise<Buffer>;
  /** Runs one target at once; null where nothing can be run on demand. */
  readonly probe: null;
}

/** A mistake in an exporter's own keys, with its path inside that map. */
export interface ExporterIssue {
  readonly path: readonly string[];
  readonly message: string;
}

export type CheckedExporter =
  | { readonly ok: true; readonly exporter: { open(deps: ExporterDeps): Promise<Exporter> } }
  | { readonly ok: false; readonly issues: readonly ExporterIssue[] };

/** The types there are, and how an exporter's own keys (without `type` and `name`) are checked. */
export interface ExporterTypes {
  readonly names: readonly string[];
  check(type: string, config: unknown): Promise<CheckedExporter>;
}

export const EXPORTER_TYPES: ExporterTypes = {
  names: [],
  check: async () => ({ ok: false, issues: [{ path: ['type'], message: 'is of no known type' }] }),
};

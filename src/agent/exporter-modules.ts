/**
 * The exporters that a configuration may name, as the agent sees them: a type is checked without opening anything, and
 * what was checked can be opened. The types themselves are in `exporters/`.
 */
import { type Checked, checkExporter, EXPORTER_TYPES as TYPES } from './exporters/registry.js';

export type { ExporterDeps } from './exporters/deps.js';

/** A mistake in an exporter's own keys, with its path inside that map. */
export type ExporterIssue = Extract<Checked, { ok: false }>['issues'][number];

/** The types there are, and how an exporter's own keys (without `type` and `name`) are checked. */
export interface ExporterTypes {
  readonly names: readonly string[];
  check(type: string, config: unknown): Promise<Checked>;
}

const NO_SUCH_TYPE: Checked = { ok: false, issues: [{ path: ['type'], message: 'is of no known type' }] };

export const EXPORTER_TYPES: ExporterTypes = {
  names: TYPES,
  check: async (type, config) => {
    const known = TYPES.find((name) => name === type);
    return known ? checkExporter(known, config) : NO_SUCH_TYPE;
  },
};

/** The types of exporters that a configuration may name, each loaded only if it does. */
import type { GenericSchema } from 'valibot';
import type { Exporter } from './exporters/contract.js';

/** What the file of an exporter gives. */
export interface ExporterModule {
  /** Of one entry of `exporters`, with `type` and `name`. */
  readonly configSchema: GenericSchema;
  create(config: never, deps: never): Promise<Exporter>;
}

export const EXPORTERS: Readonly<Record<string, () => Promise<ExporterModule>>> = {};

/** The exporters by type. Each file is loaded only when the configuration names it. */
import * as v from 'valibot';
import { shapeMistakes } from '../../model/mistake.js';
import type { Exporter } from './contract.js';
import type { ExporterDeps, ExporterModule } from './deps.js';

export const EXPORTER_TYPES = [
  'file',
  'webhook',
  'prometheus',
  'prometheus-textfile',
  'otlp',
  'syslog',
  'nats',
  'zabbix',
] as const;
export type ExporterType = (typeof EXPORTER_TYPES)[number];

/** An exporter whose configuration is checked: what is left is to open it. */
interface CheckedExporter {
  open(deps: ExporterDeps): Promise<Exporter>;
}

export type Checked =
  | { readonly ok: true; readonly exporter: CheckedExporter }
  | { readonly ok: false; readonly issues: readonly { readonly path: readonly string[]; readonly message: string }[] };

const checked = <Schema extends v.GenericSchema>(
  { configSchema, create }: ExporterModule<Schema>,
  config: unknown,
): Checked => {
  const result = v.safeParse(configSchema, config);
  if (result.success) return { ok: true, exporter: { open: (deps) => create(result.output, deps) } };
  return {
    ok: false,
    issues: shapeMistakes(result.issues).map(({ path, message }) => ({ path: path.map(String), message })),
  };
};

const LOADERS: Readonly<Record<ExporterType, (config: unknown) => Promise<Checked>>> = {
  file: async (config) => checked(await import('./file.js'), config),
  webhook: async (config) => checked(await import('./webhook.js'), config),
  prometheus: async (config) => checked(await import('./prometheus.js'), config),
  'prometheus-textfile': async (config) => checked(await import('./prometheus-textfile.js'), config),
  otlp: async (config) => checked(await import('./otlp.js'), config),
  syslog: async (config) => checked(await import('./syslog.js'), config),
  nats: async (config) => checked(await import('./nats.js'), config),
  zabbix: async (config) => checked(await import('./zabbix.js'), config),
};

/**
 * Checks an exporter's own keys, without `type` and `name`. Opens nothing.
 * @returns every mistake with its path inside this map
 */
export const checkExporter = (type: ExporterType, config: unknown): Promise<Checked> => LOADERS[type](config);

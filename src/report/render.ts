/** The output formats by name; each loads its renderer only when it is asked for. */
import type { Report } from '../model/report.js';
import type { TableOptions } from './table.js';

/** What `-o` takes. */
export const OUTPUTS = ['table', 'json', 'ndjson', 'html', 'nagios', 'prometheus'] as const;
export type Output = (typeof OUTPUTS)[number];

type Renderer = (report: Report, options: TableOptions) => string;

const LOADERS: Readonly<Record<Output, () => Promise<Renderer>>> = {
  table: async () => (await import('./table.js')).renderTable,
  json: async () => (await import('./json.js')).renderJson,
  ndjson: async () => (await import('./json.js')).renderNdjson,
  html: async () => (await import('./html.js')).renderHtml,
  nagios: async () => {
    const { renderNagios } = await import('./nagios.js');
    return (report) => renderNagios(report).text;
  },
  prometheus: async () => (await import('./prometheus.js')).renderPrometheus,
};

/** A report as text in the named format, ending with a newline. Only `table` heeds the options. */
export const render = async (output: Output, report: Report, options: TableOptions): Promise<string> =>
  (await LOADERS[output]())(report, options);

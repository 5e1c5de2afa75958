/**
 * Records as OTLP 1.x requests in the JSON mapping: lowerCamelCase names, 64-bit integers as strings, enumerations as
 * numbers. An encoder of ours because the SDK's stamps a point with the time of its export, and records may have lain
 * in the spool for a week; and because the current SDK no longer runs on Node 20.
 */
import { metricsOf } from '../../report/metrics.js';
import type { SpoolRecord } from './contract.js';
import type { AgentLabels } from './labels.js';
import type { createLatest } from './latest.js';
import { type Severity, summarise } from './summary.js';

/** Who speaks: the resource of every request. */
interface OtlpResource {
  readonly agentId: string;
  readonly hostname: string;
  readonly version: string;
  readonly labels: AgentLabels;
}

type AnyValue = { readonly stringValue: string } | { readonly doubleValue: number } | { readonly boolValue: boolean };
interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

const attribute = (key: string, value: string): KeyValue => ({ key, value: { stringValue: value } });
const attributes = (values: Readonly<Record<string, string | number>>): readonly KeyValue[] =>
  Object.entries(values).map(([key, value]) => attribute(key, String(value)));

const resourceOf = ({ agentId, hostname, version }: OtlpResource) => ({
  attributes: attributes({
    'service.name': 'callpath',
    'service.version': version,
    'service.instance.id': agentId,
    'host.name': hostname,
  }),
});
const scopeOf = ({ version }: OtlpResource) => ({ name: 'callpath', version });

/** fixed64 in JSON is a decimal string. 0 says that the time is not known. */
const nanoseconds = (time: string): string => {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? '0' : String(BigInt(ms) * 1_000_000n);
};

/** UCUM, from the unit that ends a metric's name. */
const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ['_seconds', 's'],
  ['_bytes', 'By'],
  ['_ratio', '1'],
];
const unitOf = (name: string): string => UNITS.find(([ending]) => name.endsWith(ending))?.[1] ?? '';

/**
 * The metrics of the reports among the records, at the time of their runs; null if there is none.
 * @param latest learns of the records
 */
export const encodeMetrics = (
  records: readonly SpoolRecord[],
  resource: OtlpResource,
  latest: ReturnType<typeof createLatest>,
) => {
  const byName = new Map<string, { description: string; dataPoints: object[] }>();
  for (const record of records) {
    const standing = latest.standingWith(record);
    if (standing === null) continue;
    const { report, answer } = standing;
    const timeUnixNano = nanoseconds(report.startedAt);
    for (const { name, help, samples } of metricsOf(report, answer)) {
      const metric = byName.get(name) ?? { description: help, dataPoints: [] };
      byName.set(name, metric);
      for (const { labels, value } of samples)
        metric.dataPoints.push({
          attributes: attributes({ ...resource.labels, target: record.target, ...labels }),
          timeUnixNano,
          asDouble: value,
        });
    }
  }
  const metrics = [...byName]
    .filter(([, { dataPoints }]) => dataPoints.length > 0)
    .map(([name, { description, dataPoints }]) => ({ name, description, unit: unitOf(name), gauge: { dataPoints } }));
  if (metrics.length === 0) return null;
  return {
    resourceMetrics: [{ resource: resourceOf(resource), scopeMetrics: [{ scope: scopeOf(resource), metrics }] }],
  };
};

/** The first number of each range in the data model of logs. */
const SEVERITY_NUMBERS: Readonly<Record<Severity, number>> = { info: 9, notice: 10, warning: 13, error: 17 };
const SEVERITY_TEXTS: Readonly<Record<Severity, string>> = {
  info: 'INFO',
  notice: 'INFO2',
  warning: 'WARN',
  error: 'ERROR',
};

/** One log record per record. Reports are summed up, their numbers being metrics; changes and events are whole. */
export const encodeLogs = (records: readonly SpoolRecord[], resource: OtlpResource, now: number) => ({
  resourceLogs: [
    {
      resource: resourceOf(resource),
      scopeLogs: [
        {
          scope: scopeOf(resource),
          logRecords: records.map((record) => {
            const { severity, text } = summarise(record);
            return {
              timeUnixNano: nanoseconds(record.at),
              observedTimeUnixNano: String(BigInt(Math.floor(now)) * 1_000_000n),
              severityNumber: SEVERITY_NUMBERS[severity],
              severityText: SEVERITY_TEXTS[severity],
              body: { stringValue: text },
              attributes: [
                // Receivers may drop what they know by it.
                attribute('log.record.uid', record.id),
                attribute('callpath.kind', record.kind),
                attribute('callpath.target', record.target),
                attribute('callpath.agent', resource.labels.agent),
                ...(resource.labels.site === undefined ? [] : [attribute('callpath.site', resource.labels.site)]),
                ...(record.kind === 'report' ? [] : [attribute('callpath.body', JSON.stringify(record.body))]),
              ],
            };
          }),
        },
      ],
    },
  ],
});

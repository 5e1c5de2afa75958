/** Metrics in Prometheus' text exposition format 0.0.4, for a textfile collector or a scrape. */
import type { Report } from '../model/report.js';
import { printable } from '../wire/printable.js';
import { type Answer, type Family, type Labels, metricsOf } from './metrics.js';

/** A label value is kept for every sample; what is longer is hostile or broken. */
const MAX_LABEL = 200;
/** Of one metric in one exposition. Some targets with some hundred checks each stay far below. */
const MAX_SERIES = 20_000;

/** Backslash, double quote and line feed are the three that a label value must escape. */
const labelValue = (value: string | number): string =>
  printable(String(value), MAX_LABEL).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const series = (name: string, labels: Labels): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${labelValue(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
};

/** `counter` for what only grows while the process lives. */
type MetricType = 'gauge' | 'counter';

/** One metric with its samples. A series must occur once only, so of labels that came out equal the first stays. */
export const renderFamily = ({ name, help, samples }: Family, type: MetricType = 'gauge'): string => {
  if (samples.length === 0) return '';
  const lines = new Map<string, number>();
  for (const { labels, value } of samples) {
    const key = series(name, labels);
    if (lines.size < MAX_SERIES && !lines.has(key)) lines.set(key, value);
  }
  const body = [...lines].map(([key, value]) => `${key} ${value}\n`).join('');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${body}`;
};

/** A report, and what its target is called in labels. */
interface Labelled {
  readonly target: string;
  readonly report: Report;
  /** What holds where one report does not say it all. */
  readonly answer?: Answer;
}

/**
 * The metrics of several targets; all samples of a metric stand together, as the format demands.
 * @param common labels of every series
 */
export const renderTargets = (reports: readonly Labelled[], common: Labels = {}): string => {
  const families = new Map<string, Family>();
  for (const { target, report, answer } of reports) {
    for (const { name, help, samples } of metricsOf(report, answer)) {
      const labelled = samples.map(({ labels, value }) => ({ labels: { ...common, target, ...labels }, value }));
      families.set(name, { name, help, samples: [...(families.get(name)?.samples ?? []), ...labelled] });
    }
  }
  return [...families.values()].map((family) => renderFamily(family)).join('');
};

/**
 * All metrics of a report, gauges of this one run. Every series carries the target, so that the files of several
 * targets can stand side by side in one collector.
 */
export const renderPrometheus = (report: Report): string => renderTargets([{ target: report.target.host, report }]);

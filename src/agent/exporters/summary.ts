/** A record in one line and a severity, for receivers that keep logs and not documents. A pure function. */
import { printable } from '../../wire/printable.js';
import type { SpoolRecord } from './contract.js';
import { reportOf } from './latest.js';

/** From good to bad; each format has its own numbers for them. */
const SEVERITIES = ['info', 'notice', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

interface Summary {
  readonly severity: Severity;
  /** One printable line. */
  readonly text: string;
}

const MAX_TEXT = 400;
const MAX_PART = 120;

const OF_SERVICE: Readonly<Record<string, Severity>> = {
  works: 'info',
  unknown: 'notice',
  degraded: 'warning',
  impaired: 'error',
  blocked: 'error',
};
/** Of a change: where it went to, unless it got better. */
const OF_VERDICT: Readonly<Record<string, Severity>> = {
  ...OF_SERVICE,
  pass: 'info',
  silent: 'warning',
  altered: 'warning',
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A string, or a field of a map, as words; empty if there is none. */
const words = (value: unknown, ...fields: readonly string[]): string => {
  const found = isMap(value) ? fields.map((field) => value[field]).find((one) => typeof one === 'string') : value;
  return typeof found === 'string' ? printable(found, MAX_PART) : '';
};

const worst = (severities: readonly Severity[]): Severity =>
  severities.reduce((a, b) => (SEVERITIES.indexOf(b) > SEVERITIES.indexOf(a) ? b : a), 'info');

const ofReport = (record: SpoolRecord): Summary | null => {
  const report = reportOf(record);
  if (report === null) return null;
  const services = report.services.map(({ profile, verdict }) => `${profile} ${verdict}`);
  const blocked = report.checks.filter(({ verdict }) => verdict === 'blocked' || verdict === 'altered');
  const shown = blocked.slice(0, 3).map(({ id, verdict, reason }) => `${id} ${verdict} (${reason})`);
  const more = blocked.length - shown.length;
  return {
    severity: worst(report.services.map(({ verdict }) => OF_SERVICE[verdict] ?? 'notice')),
    text: [
      services.length > 0 ? services.join(', ') : 'no service was tested',
      ...(shown.length > 0 ? [`${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`] : []),
    ].join('; '),
  };
};

const ofChange = ({ body }: SpoolRecord): Summary => {
  const { subject, before, after, what, direction, text } = body;
  const state = (value: unknown): string => words(value, 'key', 'verdict') || 'unknown';
  const verdict = words(after, 'verdict');
  return {
    severity: direction === 'better' ? 'notice' : (OF_VERDICT[verdict] ?? 'warning'),
    text:
      words(text) ||
      `${words(subject, 'id') || 'something'} ${words(what) || 'changed'}: ${state(before)} -> ${state(after)}`,
  };
};

const ofEvent = ({ body }: SpoolRecord): Summary => ({
  severity: 'notice',
  text: words(body, 'text', 'message', 'what', 'event', 'kind') || 'an event',
});

/** What happened, in one line that begins with the target. */
export const summarise = (record: SpoolRecord): Summary => {
  const { severity, text } =
    record.kind === 'change'
      ? ofChange(record)
      : ((record.kind === 'report' ? ofReport(record) : null) ?? ofEvent(record));
  return { severity, text: printable(`${words(record.target)}: ${text}`, MAX_TEXT) };
};

/**
 * The report as a monitoring plugin prints it: one summary line, performance data, then details (Monitoring Plugins
 * Development Guidelines).
 */
import type { Report } from '../model/report.js';
import type { ServiceVerdict } from '../model/verdict.js';
import { printable } from '../wire/printable.js';
import { commonestUnknown, counted, portsInWords, REASON_WORDS, untestedOf, whyUnknown } from '../words/report.js';
import { placesInWords } from '../words/said.js';
import { statusInWords } from '../words/third-party.js';

/** 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. */
type NagiosCode = 0 | 1 | 2 | 3;

const NAMES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const satisfies Record<NagiosCode, string>;

const CODE_OF: Readonly<Record<ServiceVerdict, NagiosCode>> = {
  works: 0,
  degraded: 1,
  impaired: 2,
  blocked: 2,
  unknown: 3,
};

/** What is proven to be bad outweighs what is not known, as in the exit codes of a plain run. */
const SEVERITY: readonly NagiosCode[] = [2, 1, 3, 0];

/** Web interfaces show one line of it in a table cell. */
const MAX_SUMMARY = 300;
const MAX_LINE = 400;
const MAX_NAME = 120;
/** Agents such as NRPE cut the output; what fits a page of a notification is enough. */
const MAX_PROBLEM_LINES = 40;
/** The best of the scale (ITU-T G.107 Annex B). */
const MOST_MOS = 4.5;
/** Checks in report order, which is stable, so that the same ones have their graph in every run. */
const MAX_RTT_SERIES = 100;

/**
 * `|` would begin performance data; the rest is what Nagios itself calls illegal in macro output, because notification
 * commands go through a shell and web interfaces may not escape HTML.
 */
const ILLEGAL = /[|<>&$`"']/g;

/** An apostrophe within a word is the typographic one, which no shell knows. */
const plain = (text: string, maxLength: number): string =>
  printable(text, maxLength)
    .replace(/(?<=\w)'(?=\w|\s)/g, '\u2019')
    .replace(ILLEGAL, '_');

/** Label (quoted; neither `=` nor a quote may be in it), value, unit, and where known the least and the greatest value. */
const perf = (
  label: string,
  value: number,
  unit: 's' | 'ms' | '',
  max: number | null = null,
  { warning = '', critical = '' }: Thresholds = {},
): string =>
  `'${label.replaceAll('=', '_')}'=${Number(value.toFixed(4))}${unit};${warning};${critical};0${max === null ? '' : `;${max}`}`;

/** Ranges of the Monitoring Plugins guidelines: `0` alerts above 0. */
interface Thresholds {
  readonly warning?: string;
  readonly critical?: string;
}

/** From how many checks of a verdict on a graph is out of bounds. */
const THRESHOLDS: Readonly<Record<string, Thresholds>> = {
  degraded: { warning: '0' },
  altered: { warning: '0' },
  blocked: { critical: '0' },
};

/** Of all streams the worst: what a graph is to show is the call that suffers. */
const mediaPerf = ({ quality }: Report): readonly string[] => {
  if (quality.length === 0) return [];
  const loss = (direction: 'outbound' | 'inbound'): readonly number[] =>
    quality.filter((one) => one.direction === direction).map(({ lossRatio }) => lossRatio);
  const [out, back] = [loss('outbound'), loss('inbound')];
  return [
    perf('mos', Math.min(...quality.map(({ mos }) => mos)), '', MOST_MOS),
    perf('jitter', Math.max(...quality.map(({ jitterMs }) => jitterMs)), 'ms'),
    ...(out.length > 0 ? [perf('loss_out', Math.max(...out), '', 1)] : []),
    ...(back.length > 0 ? [perf('loss_in', Math.max(...back), '', 1)] : []),
  ];
};

const perfdata = (report: Report): readonly string[] => {
  const { checks, ranges, network, totals, durationMs } = report;
  // A run of ports that fare alike counts as one.
  const asked = [...checks, ...ranges.filter(({ tested }) => tested > 0)];
  const having = (verdict: string): number => asked.filter((one) => one.verdict === verdict).length;
  return [
    perf('duration', durationMs / 1000, 's'),
    // Counts of this one run. They carry no `c`, which is for counters that only ever grow.
    ...(['pass', 'degraded', 'altered', 'blocked', 'unknown'] as const).map((verdict) =>
      perf(`checks ${verdict}`, having(verdict), '', asked.length, THRESHOLDS[verdict]),
    ),
    perf('packets sent', totals.packetsSent, ''),
    perf('packets received', totals.packetsReceived, ''),
    ...mediaPerf(report),
    ...(network.lossUpperBound === null ? [] : [perf('loss upper bound', network.lossUpperBound, '', 1)]),
    ...checks
      .flatMap(({ id, rttMs }) => (rttMs === null ? [] : [perf(`${plain(id, MAX_NAME)} rtt`, rttMs.median, 'ms')]))
      .slice(0, MAX_RTT_SERIES),
  ];
};

const summaryOf = (report: Report): string => {
  if (report.services.length === 0) return 'no profile was chosen';
  const missing = untestedOf(report).length;
  const services = report.services.map((service) => {
    const { profile, verdict, symptoms } = service;
    const [symptom] = symptoms;
    const reason = verdict === 'unknown' ? commonestUnknown(service, report) : null;
    const why = symptom?.text ?? (reason === null ? null : whyUnknown(service, reason));
    return `${profile} ${verdict}${why === null ? '' : ` - ${why}`}`;
  });
  return services.join('; ') + (missing === 0 ? '' : `; ${missing} untested`);
};

/** Where the path is fine, and somebody has to look at the server: it takes no calls, or its certificate does not hold. */
const warningsOf = ({ checks, said = [], certificates = [] }: Report): readonly string[] => [
  ...said
    .filter(({ isTrouble }) => isTrouble)
    .map(({ checks: ids }) => {
      const status = checks.filter(({ id }) => ids.includes(id)).map(statusInWords)[0];
      return `the server answers ${status} on ${placesInWords(ids, false)}`;
    }),
  ...certificates
    .filter(({ problems }) => problems.length > 0)
    .map(
      ({ check, problems }) =>
        `certificate on ${placesInWords([check], false)} ${problems.map(({ text }) => text).join(', ')}`,
    ),
];

const problemsOf = ({ checks, ranges }: Report): readonly string[] => {
  const isProblem = ({ verdict }: { readonly verdict: string }): boolean =>
    verdict === 'blocked' || verdict === 'altered' || verdict === 'degraded';
  const lines = [
    ...checks
      .filter(isProblem)
      .map(({ id, verdict, reason }) => `${verdict}: ${plain(id, MAX_NAME)} - ${REASON_WORDS[reason]} (${reason})`),
    ...ranges
      .filter(isProblem)
      .map(
        (run) =>
          `${run.verdict}: ${run.probe}/${run.transport}/${portsInWords(run)} - ${REASON_WORDS[run.reason]} (${run.reason})`,
      ),
  ];
  const more = lines.length - MAX_PROBLEM_LINES;
  return more > 0 ? [...lines.slice(0, MAX_PROBLEM_LINES), `and ${counted(more, 'more problem')}`] : lines;
};

/**
 * Plugin output, ending with a newline, and the code to exit with: 0 all services work, 1 degraded or altered,
 * 2 something required is blocked, 3 it could not be measured or nothing was asked.
 */
export const renderNagios = (report: Report): { readonly text: string; readonly exitCode: NagiosCode } => {
  const codes = new Set(report.services.map(({ verdict }) => CODE_OF[verdict]));
  const worst = SEVERITY.find((code) => codes.has(code)) ?? 3;
  const warnings = warningsOf(report);
  const exitCode = worst === 0 && warnings.length > 0 ? 1 : worst;
  const summary = plain([`${report.target.host}: ${summaryOf(report)}`, ...warnings].join('; '), MAX_SUMMARY);
  const details = report.services.flatMap(({ profile, symptoms, fixes }) => [
    ...symptoms.map(({ text }) => plain(`${profile}: users notice: ${text}`, MAX_LINE)),
    ...fixes.map(({ text }) => plain(`${profile}: fix: ${text}`, MAX_LINE)),
  ]);
  const lines = [
    `CALLPATH ${NAMES[exitCode]} - ${summary} | ${perfdata(report).join(' ')}`,
    ...details,
    ...problemsOf(report),
    ...report.notes.map((note) => plain(`note: ${note}`, MAX_LINE)),
  ];
  return { text: `${lines.join('\n')}\n`, exitCode };
};

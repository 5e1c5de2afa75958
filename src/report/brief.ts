/** The report in some ten lines, for `--quick`: the answer for each service, what to fix, and which ports pass. */
import type { Report } from '../model/report.js';
import { printable } from '../wire/printable.js';
import { natInWords } from '../words/nat.js';
import { QUICK_LEAVES_OUT } from '../words/next-steps.js';
import { duration, lossInWords, milliseconds, roleInWords, serviceInWords } from '../words/report.js';
import { beside, idOf, MAX_ID, type Page, paragraph, textOf } from './table-page.js';

type Check = Report['checks'][number];
type Range = Report['ranges'][number];

const NOTHING_WRONG: ReadonlySet<string> = new Set(['pass']);

const SIGNALLING: ReadonlySet<string> = new Set(['sip-options', 'ike-sa-init', 'tls-handshake']);

const stateOf = ({ verdict, reason }: { readonly verdict: string; readonly reason: string }): string =>
  NOTHING_WRONG.has(verdict) ? 'passes' : `${verdict.toUpperCase()} (${reason})`;

const checkInWords = (check: Check): string => {
  const place = `${check.transport.toUpperCase()} ${check.port}`;
  const rtt = check.rttMs === null || !NOTHING_WRONG.has(check.verdict) ? '' : ` ${milliseconds(check.rttMs.median)}`;
  return NOTHING_WRONG.has(check.verdict) ? `${place}${rtt}` : `${place} ${stateOf(check)}`;
};

/** What is wrong comes first, and is never left out for what passes. */
const worstFirst = (checks: readonly Check[]): readonly Check[] => [
  ...checks.filter(({ verdict }) => !NOTHING_WRONG.has(verdict)),
  ...checks.filter(({ verdict }) => NOTHING_WRONG.has(verdict)),
];

const MOST_ON_A_LINE = 6;
const listed = (checks: readonly Check[]): string => {
  const shown = worstFirst(checks).slice(0, MOST_ON_A_LINE).map(checkInWords);
  const more = checks.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
};

/** Ranges of one kind that touch and came to the same are one. */
const rangesInWords = (ranges: readonly Range[]): string => {
  const spans = ranges.map(({ transport, from, to, verdict, reason }) => ({
    place: `${transport.toUpperCase()} ${from}-${to}`,
    state: stateOf({ verdict, reason }),
    isWrong: !NOTHING_WRONG.has(verdict),
  }));
  const ordered = [...spans.filter(({ isWrong }) => isWrong), ...spans.filter(({ isWrong }) => !isWrong)];
  const shown = ordered.slice(0, MOST_ON_A_LINE).map(({ place, state }) => `${place} ${state}`);
  return [...shown, ...(ordered.length > shown.length ? [`${ordered.length - shown.length} more`] : [])].join(', ');
};

export const briefLines = (page: Page, report: Report): readonly string[] => {
  const { target, services, checks, ranges, totals, durationMs } = report;
  const row = (label: string, text: string): readonly string[] =>
    text === '' ? [] : beside(page, label, text, { indent: 0, hang: 12, ink: 'dim' });
  const signalling = checks.filter(({ probe }) => SIGNALLING.has(probe));
  const others = checks.filter(({ probe }) => !SIGNALLING.has(probe));
  const tested = ranges.reduce((sum, range) => sum + range.tested, 0);
  return [
    ...paragraph(
      page,
      `callpath: ${printable(target.host, MAX_ID)}, ${roleInWords(report)}, in ${duration(durationMs)}`,
      0,
      'bold',
    ),
    ...services.flatMap((service) => {
      const { answer, sentence } = serviceInWords(service, report);
      const [symptom] = service.symptoms;
      const [fix] = service.fixes;
      return [
        ...paragraph(page, `${answer}  ${idOf(service.profile)}: ${textOf(symptom?.text ?? sentence)}`, 0, 'bold'),
        ...(fix ? row('  Fix', textOf(fix.text)) : []),
      ];
    }),
    ...row('Signalling', listed(signalling)),
    ...row('Other', listed(others)),
    ...row('Media', ranges.length === 0 ? '' : `${rangesInWords(ranges)} (${tested} ports tested)`),
    ...row('NAT', natInWords(report)),
    ...row('Loss', `${lossInWords(report)}; ${totals.packetsSent} packets sent`),
    ...paragraph(page, QUICK_LEAVES_OUT, 0),
  ];
};

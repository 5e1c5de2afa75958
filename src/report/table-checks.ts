/** The table's proof: checks by verdict, and what a SIP ALG changed. */
import type { Report, ReportCheck } from '../model/report.js';
import type { Reason, Verdict } from '../model/verdict.js';
import { printable } from '../wire/printable.js';
import { rejectionInWords } from '../words/icmp.js';
import { confidence, counted, evidenceInWords, milliseconds, REASON_WORDS, untestedOf } from '../words/report.js';
import { columns, padTo } from './layout.js';
import {
  beside,
  idOf,
  limited,
  MAX_ID,
  moreLine,
  type Page,
  paragraph,
  type Section,
  textOf,
  VERDICT_INK,
} from './table-page.js';

/** Rows of one kind before the rest is only counted; a screen is 24 to 50 lines. */
const MAX_ROWS = 12;
/** Passes stand several to a line, and matter less one by one. */
const MAX_PASSES = 30;

const MAX_EVIDENCE = 240;
const MAX_EVIDENCE_VERBOSE = 2000;

/** Ids take a column of this width; wider ones stand on a line of their own. */
const MIN_ID_COLUMN = 16;
const MAX_ID_COLUMN = 34;
/** Blanks between two cells of a line. */
const GRID_GAP = 3;

const heading = (page: Page, verdict: Verdict, count: string): string =>
  `${page.paint(VERDICT_INK[verdict], verdict.toUpperCase())} (${count})`;

/** Where only we know, what came back is what was answered; where the far end tells, the two are told apart. */
const countsOf = ({ sent, seen, answered = null, received }: ReportCheck): string => {
  if (seen === null) return `sent ${sent}, answered ${received}`;
  const told = answered === null ? '' : `answered ${answered}, `;
  return `sent ${sent}, far end saw ${seen}, ${told}received ${received}`;
};

const evidenceOf = (page: Page, check: ReportCheck): string[] => {
  const max = page.verbose ? MAX_EVIDENCE_VERBOSE : MAX_EVIDENCE;
  const words = evidenceInWords(check.evidence, max);
  return words === '' ? [] : paragraph(page, words, 6, 'dim');
};

const checkRow = (page: Page, report: Report, check: ReportCheck, hang: number): string[] => {
  const forWhom = report.services.length > 1 && check.requiredBy.length > 0;
  const details = [
    countsOf(check),
    check.rttMs === null ? null : `median ${milliseconds(check.rttMs.median)}`,
    check.received > 0 ? null : rejectionInWords(check.evidence),
    `confidence ${confidence(check.confidence)}`,
    forWhom ? `for ${check.requiredBy.map((profile) => printable(profile, MAX_ID)).join(', ')}` : null,
  ];
  return [
    ...beside(page, idOf(check.id), details.filter((part) => part !== null).join(', '), { indent: 4, hang }),
    // An alteration is its evidence: whose certificate, which header. For the rest the reason says enough.
    ...(page.verbose || check.verdict === 'altered' ? evidenceOf(page, check) : []),
  ];
};

const byReason = (checks: readonly ReportCheck[]): ReadonlyMap<Reason, readonly ReportCheck[]> => {
  const groups = new Map<Reason, ReportCheck[]>();
  for (const check of checks) {
    const group = groups.get(check.reason);
    if (group === undefined) groups.set(check.reason, [check]);
    else group.push(check);
  }
  return groups;
};

const reasonLine = (page: Page, reason: Reason): string[] => paragraph(page, `${REASON_WORDS[reason]} (${reason})`, 2);

/** The column at which the text beside a list of ids begins: less than half of a line goes to the ids. */
const hangFor = (page: Page, ids: readonly string[]): number => {
  const limit = Math.min(MAX_ID_COLUMN, Math.floor(page.width * 0.45));
  const widths = ids.map(columns).filter((width) => width <= limit);
  return 4 + Math.max(MIN_ID_COLUMN, ...widths) + 2;
};

/** Checks of one verdict, by reason. Of what is unknown the ids suffice: there is nothing to act on. */
export const problems = (page: Page, report: Report, verdict: Verdict): Section => {
  const untested = new Set(untestedOf(report));
  const checks = report.checks.filter((check) => check.verdict === verdict && !untested.has(check.id));
  if (checks.length === 0) return [];
  const groups = [...byReason(checks)].flatMap(([reason, group]) => {
    const { shown, more } = limited(page, group, MAX_ROWS);
    const ids = shown.map((check) => idOf(check.id));
    const brief = verdict === 'unknown' && !page.verbose;
    const hang = hangFor(page, ids);
    return [
      ...reasonLine(page, reason),
      ...(brief ? paragraph(page, ids.join(', '), 4) : shown.flatMap((check) => checkRow(page, report, check, hang))),
      ...moreLine(page, more, 4),
    ];
  });
  return [heading(page, verdict, counted(checks.length, 'check')), ...groups];
};

/** Each field that was rewritten, as it was sent and as it arrived. */
export const sipAlg = (page: Page, { sipAlg: { findings } }: Report): Section => {
  if (findings.length === 0) return [];
  const { shown, more } = limited(page, findings, MAX_ROWS);
  const quoted = (label: string, value: string): string[] =>
    beside(page, label, textOf(value), { indent: 4, hang: 14, ink: 'dim' });
  return [
    page.paint('bold', 'WHAT THE SIP ALG CHANGED'),
    ...shown.flatMap((finding) => [
      ...paragraph(
        page,
        `${printable(finding.field, MAX_ID)} of ${printable(finding.method, MAX_ID)} over ${finding.transport} ` +
          `${finding.port}, ${finding.direction}: ${finding.kind} (${finding.class})`,
        2,
      ),
      ...quoted('sent', finding.sent),
      ...quoted('received', finding.received),
    ]),
    ...moreLine(page, more, 2),
  ];
};

/** What a check without a round trip rests on, in a word or two. */
const comparedInWords = ({ evidence, received, sent }: ReportCheck): string => {
  const { compared, largestPassingBytes } = evidence;
  if (Array.isArray(compared)) return counted(compared.length, 'method');
  if (typeof largestPassingBytes === 'number') return `to ${largestPassingBytes} bytes`;
  return `${received} of ${sent}`;
};

interface Cell {
  readonly id: string;
  readonly value: string;
}

/** Ids with a short value each, as many to a line as fit; an id that is too wide has a line of its own. */
const grid = (page: Page, cells: readonly Cell[]): string[] => {
  const ids = cells.map(({ id }) => id);
  const idWidth = hangFor(page, ids) - 4;
  const valueWidth = Math.max(...cells.map(({ value }) => value.length));
  const perLine = Math.max(1, Math.floor((page.width - 2 + GRID_GAP) / (idWidth + valueWidth + GRID_GAP)));
  const lines: string[] = [];
  let row: string[] = [];
  const flush = (): void => {
    if (row.length > 0) lines.push(`  ${row.join(' '.repeat(GRID_GAP))}`);
    row = [];
  };
  for (const { id, value } of cells) {
    if (columns(id) > idWidth) {
      flush();
      lines.push(...beside(page, id, value, { indent: 2, hang: idWidth + 2 }));
      continue;
    }
    row.push(padTo(id, idWidth) + value.padStart(valueWidth));
    if (row.length === perLine) flush();
  }
  flush();
  return lines;
};

/** What passes: ids and round trips, or with -v as much as of any other check. */
export const passes = (page: Page, report: Report): Section => {
  const checks = report.checks.filter((check) => check.verdict === 'pass');
  if (checks.length === 0) return [];
  const others = checks.some(({ rttMs }) => rttMs === null) ? ', or what was compared' : '';
  const title = `${heading(page, 'pass', counted(checks.length, 'check'))}, median round trip${others}`;
  const { shown, more } = limited(page, checks, MAX_PASSES);
  const cells = shown.map((check) => ({
    id: idOf(check.id),
    value: check.rttMs === null ? comparedInWords(check) : milliseconds(check.rttMs.median),
  }));
  if (!page.verbose) return [title, ...grid(page, cells), ...moreLine(page, more, 2)];
  const ids = cells.map(({ id }) => id);
  const hang = hangFor(page, ids);
  return [title, ...shown.flatMap((check) => checkRow(page, report, check, hang))];
};

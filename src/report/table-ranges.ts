/** The table's port ranges, as runs of equal verdict, and the quality of the media streams. */
import type { Report, ReportRange } from '../model/report.js';
import { printable } from '../wire/printable.js';
import { capacityInWords, lossOfStream, modelInWords, oddities, throttledInWords } from '../words/media.js';
import { INFERRED_HINT } from '../words/pages.js';
import {
  counted,
  hasInferredPorts,
  milliseconds,
  portCount,
  portsInWords,
  REASON_WORDS,
  stepInWords,
  untestedOf,
} from '../words/report.js';
import { padTo, wrap } from './layout.js';
import { beside, limited, MAX_ID, moreLine, type Page, paragraph, type Section, VERDICT_INK } from './table-page.js';

/** Rows before the rest is only counted: a fault as a person made it has two or three runs, not dozens. */
const MAX_RUNS = 24;
const MAX_STREAMS = 12;

const modelOf = ([first]: readonly Report['quality'][number][]): string | null => {
  const words = first ? modelInWords(first) : null;
  return words === null ? null : `${words}.`;
};

/** One line for each stream and direction. */
export const quality = (page: Page, report: Report): Section => {
  if (report.quality.length === 0) return [];
  const { shown, more } = limited(page, report.quality, MAX_STREAMS);
  return [
    page.paint('bold', 'MEDIA QUALITY'),
    ...shown.flatMap((stream) =>
      beside(
        page,
        `${stream.port} ${stream.direction}`,
        [
          `MOS ${stream.mos.toFixed(2)}, loss ${lossOfStream(stream)}, jitter ${milliseconds(stream.jitterMs)}, ` +
            `${stream.reordered} reordered, ${counted(stream.packets, 'packet')}`,
          ...oddities(stream),
          ...[throttledInWords(stream)].flatMap((words) => words ?? []),
        ].join('; '),
        { indent: 2, hang: 18 },
      ),
    ),
    ...moreLine(page, more, 2),
    ...[capacityInWords(report), modelOf(shown)].flatMap((words) => (words === null ? [] : paragraph(page, words, 2))),
  ];
};

/** Where the verdicts of a row of runs stand, and where their details begin. */
const RUN_VERDICT_COLUMN = 17;
const RUN_DETAIL_COLUMN = 28;

const runRow = (page: Page, run: ReportRange): string[] => {
  // Between two neighbours of different verdict nothing can be inferred.
  const isGap = run.tested === 0 && run.reason === 'not-run';
  const verdict = isGap ? 'not asked' : run.verdict === 'pass' ? 'pass' : run.verdict.toUpperCase();
  const reason = isGap || run.verdict === 'pass' ? '' : `, ${REASON_WORDS[run.reason]} (${run.reason})`;
  const details = `tested ${run.tested} of ${portCount(run)}${reason}`;
  const [first = '', ...rest] = wrap(details, page.width - RUN_DETAIL_COLUMN);
  const ports = ' '.repeat(4) + padTo(portsInWords(run), RUN_VERDICT_COLUMN - 4);
  const shown = page.paint(VERDICT_INK[run.verdict], padTo(verdict, RUN_DETAIL_COLUMN - RUN_VERDICT_COLUMN));
  return [ports + shown + first, ...rest.map((line) => ' '.repeat(RUN_DETAIL_COLUMN) + line)];
};

/** All runs, the holes between them included; together they cover what was asked. */
export const ranges = (page: Page, report: Report): Section => {
  const untested = new Set(untestedOf(report));
  const runs = report.ranges.filter((run) => !untested.has(run.id));
  if (runs.length === 0) return [];
  const several = new Set(runs.map((run) => run.address)).size > 1;
  const { shown, more } = limited(page, runs, MAX_RUNS);
  let title = '';
  const rows = shown.flatMap((run) => {
    const on = several && run.address !== null ? `to ${printable(run.address, MAX_ID)}` : '';
    const next = [`${run.probe} over ${run.transport}`, stepInWords(run), on].filter((part) => part !== '').join(', ');
    const lines = next === title ? [] : paragraph(page, next, 2);
    title = next;
    return [...lines, ...runRow(page, run)];
  });
  return [
    page.paint('bold', 'PORT RANGES'),
    ...rows,
    ...moreLine(page, more, 4),
    ...(hasInferredPorts(runs) ? paragraph(page, INFERRED_HINT, 2, 'dim') : []),
  ];
};

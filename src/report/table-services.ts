/** The table's first question and its answer: will it work, what will users notice, what to ask for. */
import type { Report, ReportService } from '../model/report.js';
import { printable } from '../wire/printable.js';
import { ranked } from '../words/causes.js';
import { PASTE_RULES } from '../words/next-steps.js';
import { NO_PROFILE } from '../words/pages.js';
import { padTo, wrap } from './layout.js';
import { storyOf, type Tone, toneOf } from './story.js';
import { beside, type Ink, limited, MAX_ID, type Page, paragraph, type Section, textOf } from './table-page.js';

const INKS: Readonly<Record<Tone, Ink>> = { good: 'green', warn: 'yellow', bad: 'red', none: 'yellow' };

/** One hole in a range of RTP and RTCP ports makes two requests; more than three are a list to hand on, with -v. */
const MAX_FIXES = 3;
/** Ranked, so the first ones matter; each check that went wrong is listed below with its reason. */
const MAX_CAUSES = 3;

/** Where the text beside `Users notice:` and `Fix:` begins. */
const LABEL_COLUMN = 18;

/** A labelled list; a mark tells the items apart when there are several. */
const labelled = (page: Page, label: string, items: readonly string[]): string[] =>
  items.flatMap((item, index) => {
    const lines = wrap(textOf(item), page.width - LABEL_COLUMN - (items.length > 1 ? 2 : 0));
    const head = `    ${padTo(index === 0 ? label : '', LABEL_COLUMN - 4)}`;
    return lines.map((line, row) => {
      const mark = items.length === 1 ? '' : row === 0 ? '- ' : '  ';
      return (row === 0 ? head : ' '.repeat(LABEL_COLUMN)) + mark + line;
    });
  });

/** Rules are there to be pasted, and a screen would break them: they come by a command of their own. */
const rulesHint = (page: Page, { services }: Report): string[] =>
  services.some(({ fixes }) => fixes.some(({ rules }) => Object.keys(rules).length > 0))
    ? ['', ...paragraph(page, PASTE_RULES, 2, 'dim')]
    : [];

const serviceBlock = (page: Page, report: Report, service: ReportService): string[] => {
  const { answer, sentence, notices, why, whom, next } = storyOf(report, service);
  const title = `${textOf(service.title)} (${printable(service.profile, MAX_ID)}) - ${service.verdict}`;
  const { shown: fixes, more: moreFixes } = limited(page, service.fixes, MAX_FIXES);
  const { first, others } = page.verbose ? { first: why, others: [] } : ranked(why);
  const { shown: causes } = limited(page, first, MAX_CAUSES);
  return [
    ...beside(page, answer, title, { indent: 2, hang: 2 + answer.length + 2, ink: INKS[toneOf(service)] }),
    ...paragraph(page, sentence, 4),
    ...labelled(page, 'Users notice:', notices),
    ...labelled(page, 'Why:', [
      ...causes.map(({ text, doubt }) => (doubt === null ? text : `${text} (${doubt})`)),
      // Whom to ask says as much.
      ...(others.length > 0 && whom === null ? [`Also possible: ${others.join('; ')}.`] : []),
    ]),
    ...labelled(
      page,
      'Fix:',
      fixes.map((fix) => fix.text),
    ),
    ...(whom === null ? [] : labelled(page, 'Contact:', [whom])),
    ...(next === null ? [] : labelled(page, 'Next:', [next])),
    ...(page.verbose
      ? fixes.flatMap(({ test }) => (test ? paragraph(page, textOf(test.text), LABEL_COLUMN) : []))
      : []),
    ...(moreFixes > 0 ? paragraph(page, `(${moreFixes} more with -v)`, LABEL_COLUMN, 'dim') : []),
  ];
};

/** The services, in the order in which they were chosen. */
export const services = (page: Page, report: Report): Section => [
  page.paint('bold', 'WILL IT WORK FROM HERE?'),
  ...(report.services.length === 0
    ? paragraph(page, NO_PROFILE, 2)
    : report.services.flatMap((service, index) => [
        ...(index === 0 ? [] : ['']),
        ...serviceBlock(page, report, service),
      ])),
  ...rulesHint(page, report),
];

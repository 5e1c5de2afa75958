/** The calls that were rehearsed, one block each, with what came of every step. */
import type { Report } from '../model/report.js';
import { callInWords, STEP_NAMES, stepInWords } from '../words/calls.js';
import { beside, type Page, paragraph, type Section } from './table-page.js';

/** The longest name of a step, and two blanks. */
const HANG = 4 + Math.max(...Object.values(STEP_NAMES).map(({ length }) => length)) + 2;

export const calls = (page: Page, { calls: all = [] }: Report): Section =>
  all.length === 0
    ? []
    : [
        page.paint('bold', 'CALLS'),
        ...all.flatMap((call) => [
          ...paragraph(page, `${callInWords(call)}:`, 2),
          ...call.steps.flatMap((step) =>
            beside(page, STEP_NAMES[step.step], stepInWords(step), { indent: 4, hang: HANG, ink: 'dim' }),
          ),
        ]),
      ];

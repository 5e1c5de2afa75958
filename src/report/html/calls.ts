/** The calls that were rehearsed: a table each, with what came of every step. */
import type { Report } from '../../model/report.js';
import { callInWords, STEP_NAMES, stepInWords } from '../../words/calls.js';
import { CALLS_CAPTION } from '../../words/pages.js';
import { type Content, html, type Markup, section, table } from './markup.js';

type Call = NonNullable<Report['calls']>[number];

const row = (step: Call['steps'][number]): Markup =>
  html`<tr><th scope="row">${STEP_NAMES[step.step]}</th><td>${stepInWords(step)}</td></tr>\n`;

/** Nothing if none was rehearsed. */
export const calls = ({ calls: all = [] }: Report): Content =>
  all.map((call) => section(callInWords(call), table(CALLS_CAPTION, ['Step', 'What came of it'], call.steps.map(row))));

/** Each port range as a picture: one bar per range, one stretch per run of equal verdict, and the same in words. */
import type { Report, ReportRange } from '../../model/report.js';
import { INFERRED } from '../../words/pages.js';
import {
  hasInferredPorts,
  portCount,
  portsInWords,
  REASON_WORDS,
  stepInWords,
  untestedOf,
} from '../../words/report.js';
import { probeInWords, TONE } from '../story.js';
import { type Content, html, isolated, type Markup, section, table } from './markup.js';

/** The bar's width in its own units; the page stretches it. */
const BAR = 1000;
/** A hole of one port among thousands is what people look for, so it is never too thin to see. */
const THINNEST = 6;
/** Stripes over what is blocked and altered, so that the picture is read without colours, too. */
const STRIPE = 10;
/** A fault as a person made it has two or three runs; a picture of thousands would only be a large file. */
const MAX_RUNS = 400;

/** Between two neighbours of different verdict nothing can be inferred. */
const isGap = (run: ReportRange): boolean => run.tested === 0 && run.reason === 'not-run';

const wordOf = (run: ReportRange): string => (isGap(run) ? 'not asked' : run.verdict);

const stripes = (from: number, width: number, sparse: boolean): readonly Markup[] =>
  Array.from(
    { length: Math.floor(width / (sparse ? 4 * STRIPE : 2 * STRIPE)) },
    (_, index) =>
      html`<rect class="f-page" x="${from + index * (sparse ? 4 : 2) * STRIPE + STRIPE}" y="0" width="2" height="24"></rect>`,
  );

const stretch = (run: ReportRange, first: number, span: number): Markup => {
  const exact = ((run.from - first) / span) * BAR;
  const width = Math.max(THINNEST, ((run.to - run.from + run.step) / span) * BAR);
  const x = Math.round(Math.min(exact, BAR - width));
  const fill = isGap(run) ? 'gap' : TONE[run.verdict];
  return html`<rect class="f-${fill}" x="${x}" y="0" width="${Math.ceil(width)}" height="24"></rect>${
    fill === 'bad' ? stripes(x, width, false) : fill === 'warn' ? stripes(x, width, true) : ''
  }`;
};

/** Thin stretches are drawn last, on top of their neighbours. */
const byWidth = (a: ReportRange, b: ReportRange): number => b.to - b.from - (a.to - a.from);

const groupsOf = (runs: readonly ReportRange[]): readonly (readonly ReportRange[])[] => {
  const groups = new Map<string, ReportRange[]>();
  for (const run of runs) {
    const key = `${run.id} ${run.probe} ${run.transport} ${run.address ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
};

const asked = (runs: readonly ReportRange[]): string =>
  `${runs.reduce((sum, { tested }) => sum + tested, 0)} of ${runs.reduce((sum, run) => sum + portCount(run), 0)} ports tested`;

const bar = (runs: readonly ReportRange[]): Markup => {
  const [head] = runs;
  if (head === undefined) return html``;
  const first = Math.min(...runs.map(({ from }) => from));
  const last = Math.max(...runs.map(({ to }) => to));
  const span = Math.max(1, last - first + head.step);
  const shown = runs.slice(0, MAX_RUNS);
  const spoken = shown.slice(0, 12).map((run) => `${portsInWords(run)} ${wordOf(run)}`);
  const label = `${probeInWords(head.probe)} over ${head.transport}, ports ${first} to ${last}: ${spoken.join(', ')}${runs.length > 12 ? ' and more' : ''}`;
  return html`<figure><figcaption><b>${probeInWords(head.probe)}</b> over ${head.transport.toUpperCase()} ${stepInWords(
    head,
  )} <small>${head.address === null ? '' : ['to ', isolated(head.address), ', ']}${asked(runs)}</small></figcaption>
<svg class="map" viewBox="0 0 ${BAR} 24" preserveAspectRatio="none" role="img" aria-label="${label}">${[...shown]
    .sort(byWidth)
    .map((run) => stretch(run, first, span))}</svg>
<div class="ends" aria-hidden="true"><span>${first}</span><span>${last}</span></div></figure>
`;
};

const key = (word: string, fill: string): Markup =>
  html`<li><svg viewBox="0 0 28 24" preserveAspectRatio="none" aria-hidden="true"><rect class="f-${fill}" x="0" y="0" width="28" height="24"></rect>${
    fill === 'bad' ? stripes(0, 28, false) : fill === 'warn' ? stripes(0, 28, true) : ''
  }</svg>${word}</li>`;

const legend = (runs: readonly ReportRange[]): Markup => {
  const words = new Map(runs.map((run) => [wordOf(run), isGap(run) ? 'gap' : TONE[run.verdict]]));
  return html`<ul class="legend soft" aria-label="Colours">${[...words].map(([word, fill]) => key(word, fill))}</ul>\n`;
};

const row = (run: ReportRange): Markup =>
  html`<tr><th scope="row">${probeInWords(run.probe)} <code>${portsInWords(run)}</code></th><td><span class="pill ${
    isGap(run) ? 'none' : TONE[run.verdict]
  }">${wordOf(run)}</span></td><td class="text">${isGap(run) ? '' : REASON_WORDS[run.reason]}</td><td class="number">${run.tested} of ${portCount(
    run,
  )}</td></tr>\n`;

/** The port ranges that could be asked; what could not is listed as untested. */
export const portMaps = (report: Report): Content => {
  const untested = new Set(untestedOf(report));
  const runs = report.ranges.filter(({ id }) => !untested.has(id));
  if (runs.length === 0) return '';
  const inferred = hasInferredPorts(runs) ? INFERRED : '';
  const isPlain = runs.every(({ verdict }) => verdict === 'pass');
  return section('Port ranges', [
    html`<div class="maps">${groupsOf(runs).map(bar)}</div>\n`,
    legend(runs),
    isPlain
      ? html`<p class="soft">Every port that was tested passes.${inferred}</p>\n`
      : table(
          `One row for each run of equal verdict.${inferred}`,
          ['Ports', 'Verdict', 'Finding', 'Asked'],
          runs.slice(0, MAX_RUNS).map(row),
        ),
    runs.length > MAX_RUNS ? html`<p>and ${runs.length - MAX_RUNS} more runs, in the JSON report</p>\n` : '',
  ]);
};

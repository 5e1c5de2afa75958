/** The history of one target: its path over time, and a strip for each service, check and range. */
import { type Content, html, isolated, type Markup, name, prose, section, table } from '../../report/html/markup.js';
import { TONE, type Tone } from '../../report/story.js';
import { DIRECTION_WORDS } from '../../words/media.js';
import { RUNS_CAPTION } from '../../words/pages.js';
import { counted, duration } from '../../words/report.js';
import type { SpoolRecord } from '../exporters/contract.js';
import type { ResultLine } from '../history/history.js';
import type { SeriesKind } from '../history/looks.js';
import { SPAN_NAMES, SPANS, type Span } from '../history/series.js';
import { audioCharts, lossChart, rttChart } from './chart.js';
import { eventList } from './events.js';
import { agoInWords, atInWords, page, targetPath } from './frame.js';
import { factsOf } from './now-page.js';
import { availability, legend, sharesOf, strip } from './strip.js';
import { LANE_WORDS, laneStateOf, type Row, rowsOf, type StatusView } from './view.js';

/** A page that a phone can hold; the rest is in each report. */
const MAX_ROWS = 150;
const MAX_RESULTS = 100;
const FIRST_RESULTS = 12;

export const seriesPath = (target: string, kind: SeriesKind, id: string, span: Span): string =>
  `${targetPath(target)}/${kind}?id=${encodeURIComponent(id)}&span=${span}`;

/** Which stretch of time: links, the current one marked. */
export const spanLinks = (path: (span: Span) => string, current: Span): Markup =>
  html`<nav class="spans" aria-label="Stretch of time">${SPAN_NAMES.map(
    (span) =>
      html`<a href="${path(span)}"${span === current ? html` aria-current="page"` : ''}>${SPANS[span].words}</a>`,
  )}</nav>\n`;

/** What needs an eye first: the most that was bad, then impaired; what never said anything comes last. */
const byTrouble = (a: Row, b: Row): number => {
  const [one, other] = [sharesOf(a.buckets), sharesOf(b.buckets)];
  const silent = (shares: typeof one): number => (shares.available === null ? 1 : 0);
  return silent(one) - silent(other) || other.bad - one.bad || other.warn - one.warn || other.looks - one.looks;
};

/** The last thing that was said of it. */
const verdictNow = (view: StatusView, target: string, { kind, id }: Pick<Row, 'kind' | 'id'>) => {
  for (const lane of ['light', 'full'] as const) {
    const report = view.history.latest(target, lane);
    const found =
      kind === 'service'
        ? report?.services.find(({ profile }) => profile === id)
        : kind === 'check'
          ? report?.checks.find((check) => check.id === id)
          : undefined;
    if (found) return found.verdict;
  }
  return null;
};

const pill = (verdict: keyof typeof TONE | null): Content => {
  const tone: Tone = verdict === null ? 'none' : TONE[verdict];
  return verdict === null ? '' : html`<span class="pill ${tone}">${verdict}</span>`;
};

const row = (view: StatusView, target: string, span: Span, one: Row): Markup => {
  const { kind, id, buckets } = one;
  return html`<li><span class="what"><a href="${seriesPath(target, kind, id, span)}"><code>${name(id)}</code></a>${pill(
    verdictNow(view, target, one),
  )}</span>${strip(name(id), buckets, span)}<span class="share">${availability(sharesOf(buckets))}</span></li>\n`;
};

const rowsSection = (view: StatusView, target: string, span: Span, title: string, rows: readonly Row[]): Content => {
  if (rows.length === 0) return '';
  const seen = rows.filter(({ buckets }) => buckets.some((bucket) => bucket !== null)).sort(byTrouble);
  const unseen = rows.length - seen.length;
  const more = seen.length - MAX_ROWS;
  return section(title, [
    html`<ul class="rows">\n${seen.slice(0, MAX_ROWS).map((one) => row(view, target, span, one))}</ul>\n`,
    more > 0 ? html`<p class="soft">and ${more} more, in each report</p>\n` : '',
    unseen > 0 ? html`<p class="soft">${counted(unseen, 'more')} without data in this time</p>\n` : '',
  ]);
};

/** MOS, jitter and loss of the audio that sweeps send, by direction. */
const audioSection = (span: Span, rows: readonly Row[]): Content =>
  rows.length === 0
    ? ''
    : section(
        'How calls sound',
        rows.map(({ id, buckets }) => [
          html`<h3>${name(DIRECTION_WORDS[id] ?? id)}</h3>\n`,
          audioCharts(buckets, span, DIRECTION_WORDS[id] ?? id),
          lossChart(buckets, span, 'packet'),
        ]),
      );

const resultTable = (caption: string, lines: readonly ResultLine[], now: number): Markup =>
  table(
    caption,
    ['When', 'What', 'Answer', 'Took'],
    lines.map(
      ({ id, at, lane, answer, tone, durationMs }) =>
        html`<tr><th scope="row"><a href="/reports/${id}">${atInWords(at)}</a> <small>${agoInWords(at, now)}</small></th><td>${LANE_WORDS[lane]}</td><td><span class="pill ${tone}">${name(answer)}</span></td><td>${duration(durationMs)}</td></tr>\n`,
    ),
  );

const results = (view: StatusView, target: string, now: number): Content => {
  const lines = view.history.results(target).slice(0, MAX_RESULTS);
  const older = lines.slice(FIRST_RESULTS);
  return section('Results', [
    lines.length === 0
      ? html`<p class="soft">None yet.</p>\n`
      : resultTable(RUNS_CAPTION, lines.slice(0, FIRST_RESULTS), now),
    older.length === 0
      ? ''
      : html`<details><summary>${older.length} older results</summary>${resultTable('Older results', older, now)}</details>\n`,
  ]);
};

export const targetPage = (view: StatusView, target: string, span: Span, events: readonly SpoolRecord[]): string => {
  const now = view.now().wall;
  const { headline, report } = laneStateOf(view, target);
  const rows = rowsOf(view, target, span);
  const of = (kind: SeriesKind): readonly Row[] => rows.filter((one) => one.kind === kind);
  const path = of('path')[0]?.buckets ?? [];
  return page({ title: target, agent: view.state.agent.name, path: targetPath(target), targets: view.targets }, [
    html`<h1>Will calls pass from ${isolated(view.state.agent.name)} to ${isolated(target)}?</h1>
<p class="soft">${atInWords(now)}${report === null ? '' : html` · ${isolated(report.target.host)}`}</p>
<div class="answer ${headline.tone}"><strong>${headline.answer}</strong><p>${prose(headline.sentence)}</p></div>\n`,
    factsOf(view, target),
    html`<h2>Over time</h2>\n`,
    spanLinks((one) => `${targetPath(target)}?span=${one}`, span),
    strip(`The whole of ${target}`, path, span, true),
    legend(),
    rttChart(path, span, 'shortest to the target'),
    lossChart(path, span),
    audioSection(span, of('audio')),
    rowsSection(view, target, span, 'Services', of('service')),
    rowsSection(view, target, span, 'Checks', of('check')),
    rowsSection(view, target, span, 'Port ranges', of('range')),
    section('Changes and events', eventList(events, now)),
    results(view, target, now),
  ]);
};

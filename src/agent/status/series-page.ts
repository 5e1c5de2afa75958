/** One check, service or range: its strips over all stretches of time, its round trips, and what was said last. */

import { type Content, html, isolated, type Markup, name, prose, section, terms } from '../../report/html/markup.js';
import { TONE } from '../../report/story.js';
import { EXPLANATIONS } from '../../words/explanations.js';
import { DIRECTION_WORDS } from '../../words/media.js';
import { confidence, evidenceInWords, milliseconds } from '../../words/report.js';
import type { SpoolRecord } from '../exporters/contract.js';
import type { NamedSeries } from '../history/history.js';
import { SPAN_NAMES, SPANS, type Span } from '../history/series.js';
import { audioCharts, lossChart, rttChart } from './chart.js';
import { eventList } from './events.js';
import { agoInWords, page, targetPath } from './frame.js';
import { availability, legend, sharesOf, strip, stripInWords } from './strip.js';
import { seriesPath, spanLinks } from './target-page.js';
import { LANE_WORDS, type StatusView } from './view.js';

const MAX_EVIDENCE = 1500;

const said = (view: StatusView, target: string, { kind, id }: NamedSeries): Content => {
  if (kind !== 'check') return '';
  for (const lane of ['light', 'full'] as const) {
    const report = view.history.latest(target, lane);
    const check = report?.checks.find((one) => one.id === id);
    if (!report || !check) continue;
    const { verdict, reason, sent, seen, answered = null, received, rttMs } = check;
    const when = agoInWords(Date.parse(report.startedAt), view.now().wall);
    return section('Latest result', [
      html`<p><span class="pill ${TONE[verdict]}">${verdict}</span> ${prose(EXPLANATIONS[reason].meaning)}</p>\n`,
      terms([
        ['When', html`<a href="/reports/${report.id}">${when}, the report of this ${LANE_WORDS[lane]}</a>`],
        ['Reason', reason],
        [
          'Sent, seen by the far end, answered by it, received',
          `${sent}, ${seen ?? 'not available'}, ${answered ?? 'unknown'}, ${received}`,
        ],
        ['Round trip', rttMs === null ? 'not measured' : `${milliseconds(rttMs.min)} to ${milliseconds(rttMs.max)}`],
        ['Confidence', verdict === 'unknown' ? 'none' : confidence(check.confidence)],
        ['Address', check.address === null ? 'not resolved' : isolated(check.address)],
        ...(Object.keys(check.evidence).length === 0
          ? []
          : [['Evidence', prose(evidenceInWords(check.evidence, MAX_EVIDENCE))] as const]),
      ]),
    ]);
  }
  return '';
};

const overTime = (view: StatusView, { series, id }: NamedSeries): readonly Markup[] =>
  SPAN_NAMES.map((span) => {
    const buckets = series.read(span, view.now().wall);
    const shares = sharesOf(buckets);
    return html`<figure><figcaption><b>${SPANS[span].words}</b> <small>${
      shares.looks === 0
        ? 'no data'
        : `available ${availability(shares)}; ${stripInWords(shares, span).split(', ').slice(1).join(', ')}`
    }</small></figcaption>${strip(name(id), buckets, span, true)}</figure>\n`;
  });

export const seriesPage = (
  view: StatusView,
  target: string,
  one: NamedSeries,
  span: Span,
  events: readonly SpoolRecord[],
): string => {
  const { kind, id, series } = one;
  const buckets = series.read(span, view.now().wall);
  const measured = kind === 'check' || kind === 'path';
  return page({ title: `${id} at ${target}`, agent: view.state.agent.name, path: '', targets: view.targets }, [
    html`<p><a href="${targetPath(target)}?span=${span}">${isolated(target)}</a> › ${kind}</p>
<h1><code>${name(id)}</code></h1>\n`,
    overTime(view, one),
    legend(),
    measured
      ? [
          html`<h2>Round trip and loss</h2>\n`,
          spanLinks((other) => seriesPath(target, kind, id, other), span),
          rttChart(buckets, span, 'of this check'),
          lossChart(buckets, span),
        ]
      : '',
    kind === 'audio'
      ? [
          html`<h2>How calls sound</h2>\n`,
          spanLinks((other) => seriesPath(target, kind, id, other), span),
          audioCharts(buckets, span, DIRECTION_WORDS[id] ?? id),
          lossChart(buckets, span, 'packet'),
        ]
      : '',
    said(view, target, one),
    section('Changes', eventList(events, view.now().wall)),
  ]);
};

/** The media streams: how a call sounds in each direction, as measured, and over time. */
import type { Report } from '../../model/report.js';
import {
  capacityInWords,
  DIRECTION_WORDS,
  lossOfStream,
  modelInWords,
  oddities,
  throttledInWords,
} from '../../words/media.js';
import { streamsCaption } from '../../words/pages.js';
import { milliseconds, percent } from '../../words/report.js';
import type { Tone } from '../story.js';
import { type Content, html, type Markup, section, table } from './markup.js';

type Stream = Report['quality'][number];
type Points = NonNullable<Stream['points']>;

const MAX_STREAMS = 100;
/** The scale of mean opinion scores runs from 1 to 4.5 for narrowband telephony (ITU-T G.107 Annex B). */
const MOS = { min: 1, max: 4.5 } as const;
const WIDTH = 200;
/** Units of a chart; the page stretches it. */
const CHART = { width: 300, height: 40 } as const;
/** A scale of less than this would make a drama of noise. */
const LEAST_LOSS = 0.05;
const LEAST_DELAY_MS = 20;
/** A report that was not made here may hold any number of points. */
const MAX_POINTS = 600;

/** ITU-T G.107 Annex B: from 4.03 many users are satisfied; below 3.6 many are dissatisfied. */
const toneOf = (mos: number): Tone => (mos >= 4.03 ? 'good' : mos >= 3.6 ? 'warn' : 'bad');

const plot = ({ mos }: Stream): Markup => {
  const part = Math.max(0, Math.min(1, (mos - MOS.min) / (MOS.max - MOS.min)));
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} 20" preserveAspectRatio="none" role="img" aria-label="MOS ${mos.toFixed(
    2,
  )} of ${MOS.max}"><rect class="f-line" x="0" y="6" width="${WIDTH}" height="8"></rect><rect class="f-${toneOf(
    mos,
  )}" x="0" y="6" width="${Math.round(part * WIDTH)}" height="8"></rect></svg>`;
};

const row = (stream: Stream): Markup => {
  const more = [...oddities(stream), ...[throttledInWords(stream)].flatMap((words) => words ?? [])].join('; ');
  return html`<tr><th scope="row">UDP ${stream.port}, ${DIRECTION_WORDS[stream.direction] ?? stream.direction}${
    more === '' ? '' : html`<br><small>${more}</small>`
  }</th><td><div class="cell">${plot(stream)}<small>MOS ${stream.mos.toFixed(
    2,
  )}</small></div></td><td class="number">${lossOfStream(stream)}</td><td class="number">${milliseconds(
    stream.jitterMs,
  )}</td><td class="number">${stream.reordered}</td><td class="number">${stream.packets}</td></tr>\n`;
};

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** One value for each piece of time as a bar; null is a gap. */
const bars = (values: readonly (number | null)[], top: number, tone: string): readonly Markup[] => {
  const width = CHART.width / Math.max(1, values.length);
  return values.flatMap((value, place) => {
    if (value === null || value <= 0) return [];
    const height = Math.max(1, (Math.min(value, top) / top) * CHART.height);
    return [
      html`<rect class="${tone}" x="${(place * width).toFixed(1)}" y="${(CHART.height - height).toFixed(
        1,
      )}" width="${(0.9 * width).toFixed(1)}" height="${height.toFixed(1)}"></rect>`,
    ];
  });
};

const chart = (title: string, words: string, ends: readonly [string, string], content: readonly Markup[]): Markup =>
  html`<figure><figcaption>${title}</figcaption><svg class="over-time" viewBox="0 0 ${CHART.width} ${
    CHART.height
  }" preserveAspectRatio="none" role="img" aria-label="${words}"><rect class="f-page" x="0" y="0" width="${
    CHART.width
  }" height="${CHART.height}"></rect>${content}</svg><div class="ends" aria-hidden="true"><span>${ends[0]}</span><span>${
    ends[1]
  }</span></div></figure>\n`;

const charts = (stream: Stream, points: Points): Markup => {
  const losses = points.map(({ sent, lost }) => (sent === 0 ? null : lost / sent));
  const delays = points.map(({ delayMs }) => delayMs);
  const worst = Math.max(0, ...losses.map((one) => one ?? 0));
  const longest = Math.max(0, ...delays.map((one) => one ?? 0));
  const last = points.at(-1)?.fromMs ?? 0;
  const step = points.length > 1 ? last / (points.length - 1) : 1000;
  const ends = ['0 s', seconds(last + step)] as const;
  const who = `UDP ${stream.port}, ${DIRECTION_WORDS[stream.direction] ?? stream.direction}`;
  const topLoss = Math.max(LEAST_LOSS, worst);
  const topDelay = Math.max(LEAST_DELAY_MS, longest);
  return html`${chart(
    `${who}: loss, at most ${percent(worst)} of a piece`,
    `Loss over time, ${who}: at most ${percent(worst)}`,
    ends,
    bars(losses, topLoss, 'f-bad'),
  )}${chart(
    `${who}: delay above the shortest, scale ${milliseconds(topDelay)}`,
    `Delay over time, ${who}: at most ${milliseconds(longest)} above the shortest`,
    ends,
    bars(delays, topDelay, 'f-accent'),
  )}`;
};

const overTime = (streams: readonly Stream[]): Content => {
  const drawn = streams.flatMap((stream) => {
    const points = (stream.points ?? []).slice(0, MAX_POINTS);
    return points.length > 1 ? [charts(stream, points)] : [];
  });
  return drawn.length === 0 ? '' : html`<div class="maps">\n${drawn}</div>\n`;
};

/** One row for each stream and direction, and its charts; nothing if none was measured. */
export const quality = (report: Report): Content => {
  const streams = report.quality.slice(0, MAX_STREAMS);
  const [first] = streams;
  if (!first) return '';
  const capacity = capacityInWords(report);
  const model = modelInWords(first);
  return section(
    'How calls sound',
    html`${table(
      streamsCaption(model ?? 'MOS is an estimate from loss, delay and jitter'),
      ['Stream', 'Quality', 'Loss', 'Jitter', 'Out of order', 'Packets'],
      streams.map(row),
    )}${overTime(streams)}${capacity === null ? '' : html`<p>${capacity}</p>\n`}`,
  );
};

/** Round trips and loss over time, drawn, and the same in words. */
import { type Content, html, type Markup } from '../../report/html/markup.js';
import { counted, milliseconds, percent } from '../../words/report.js';
import { type Bucket, SPANS, type Span, type Spread } from '../history/series.js';

type Buckets = readonly (Bucket | null)[];

/** Units of the picture; the page stretches it. */
const HEIGHT = 100;
/** A scale of less than this would make a drama of noise. */
const LEAST_SCALE_MS = 1;
const LEAST_SCALE_LOSS = 0.05;

/** The next of 1, 2, 5, 10, 20, … above a value: scales that people can read. */
const roundUp = (value: number): number => {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * magnitude >= value) ?? 10) * magnitude;
};

const scaled = (top: string, middle: string, span: Span, picture: Markup): Markup =>
  html`<div class="scale"><div class="y" aria-hidden="true"><span>${top}</span><span>${middle}</span><span>0</span></div>${picture}<div class="ends" aria-hidden="true"><span>${SPANS[span].words} ago</span><span>now</span></div></div>\n`;

const figure = (caption: Content, content: Content): Markup =>
  html`<figure><figcaption>${caption}</figcaption>${content}</figure>\n`;

const nothing = (title: string, span: Span): Markup =>
  figure(html`<b>${title}</b>`, html`<p class="soft">Not measured in the last ${SPANS[span].words}.</p>`);

/** Stretches of buckets that have a value, each with its place. */
const stretches = <T>(values: readonly (T | null)[]): readonly (readonly (readonly [number, T])[])[] => {
  const found: (readonly [number, T])[][] = [];
  values.forEach((value, place) => {
    if (value === null) return;
    const last = found.at(-1);
    if (last?.at(-1)?.[0] === place - 1) last.push([place, value]);
    else found.push([[place, value]]);
  });
  return found;
};

/** A line of means within a band from the lowest to the highest. */
const bands = (values: readonly (Spread | null)[], top: number): readonly Markup[] => {
  const y = (value: number): string => (HEIGHT - (Math.min(value, top) / top) * HEIGHT).toFixed(1);
  return stretches(values).map((stretch) => {
    // A value stands for the whole of its bucket, so that a lonely one is seen as well.
    const edge = (of: (one: Spread) => number): readonly string[] =>
      stretch.flatMap(([place, one]) => [`${place},${y(of(one))}`, `${place + 1},${y(of(one))}`]);
    const band = [...edge(({ max }) => max), ...[...edge(({ min }) => min)].reverse()];
    return html`<polygon class="band" points="${band.join(' ')}"></polygon><polyline class="s-accent" vector-effect="non-scaling-stroke" points="${edge(
      ({ mean }) => mean,
    ).join(' ')}"></polyline>`;
  });
};

const known = (values: readonly (Spread | null)[]): readonly Spread[] => values.flatMap((one) => one ?? []);

/** The mean of the medians as a line, from the shortest to the longest of them as a band. */
export const rttChart = (buckets: Buckets, span: Span, what: string): Markup => {
  const rtts = buckets.map((bucket) => bucket?.rttMs ?? null);
  const there = known(rtts);
  if (there.length === 0) return nothing('Round trip', span);
  const least = Math.min(...there.map(({ min }) => min));
  const most = Math.max(...there.map(({ max }) => max));
  const top = roundUp(Math.max(LEAST_SCALE_MS, most));
  const parts = bands(rtts, top);
  const words = `Round trip ${what}, ${SPANS[span].words}: shortest ${milliseconds(least)}, highest median ${milliseconds(most)}`;
  return figure(
    html`<b>Round trip</b> <small>${what}; line: mean of the medians of each ${SPANS[span].each}, band: from the shortest to the highest median</small>`,
    scaled(
      milliseconds(top),
      milliseconds(top / 2),
      span,
      html`<svg class="chart" viewBox="0 0 ${buckets.length} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${words}"><line class="s-line" vector-effect="non-scaling-stroke" x1="0" x2="${buckets.length}" y1="50" y2="50"></line>${parts}</svg>`,
    ),
  );
};

/** Where the scale of MOS ends. */
const TOP_MOS = 5;

/** Estimated MOS of one direction of audio, and its jitter. */
export const audioCharts = (buckets: Buckets, span: Span, direction: string): readonly Markup[] =>
  (
    [
      ['MOS', ({ mos }) => mos, 'lowest', ({ min }) => min, (value) => value.toFixed(1)],
      ['Jitter', ({ jitterMs }) => jitterMs, 'highest', ({ max }) => max, milliseconds],
    ] as const satisfies readonly (readonly [
      title: string,
      of: (audio: NonNullable<Bucket['audio']>) => Spread,
      which: string,
      worst: (one: Spread) => number,
      inWords: (value: number) => string,
    ])[]
  ).map(([title, of, which, worst, inWords]) => {
    const values = buckets.map((bucket) => (bucket?.audio ? of(bucket.audio) : null));
    const there = known(values);
    if (there.length === 0) return nothing(title, span);
    const extreme = there.map(worst).reduce((a, b) => (which === 'lowest' ? Math.min(a, b) : Math.max(a, b)));
    const top = title === 'MOS' ? TOP_MOS : roundUp(Math.max(LEAST_SCALE_MS, extreme));
    const words = `${title}, ${direction}, ${SPANS[span].words}: ${which} ${inWords(extreme)}`;
    return figure(
      html`<b>${title}</b> <small>${direction}; ${which} ${inWords(extreme)}; line: mean of each ${SPANS[span].each}, band: from the lowest to the highest</small>`,
      scaled(
        inWords(top),
        inWords(top / 2),
        span,
        html`<svg class="chart low" viewBox="0 0 ${buckets.length} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${words}"><line class="s-line" vector-effect="non-scaling-stroke" x1="0" x2="${buckets.length}" y1="50" y2="50"></line>${bands(values, top)}</svg>`,
      ),
    );
  });

/** Messages without an answer, of what passes at all; or packets of audio that did not arrive. */
export const lossChart = (buckets: Buckets, span: Span, what: 'message' | 'packet' = 'message'): Markup => {
  const losses = buckets.map((bucket) =>
    bucket?.messages ? 1 - Math.min(1, bucket.messages.received / bucket.messages.sent) : null,
  );
  const there = losses.flatMap((loss) => (loss === null ? [] : [loss]));
  if (there.length === 0) return nothing('Loss', span);
  const total = { sent: 0, received: 0 };
  for (const bucket of buckets) {
    total.sent += bucket?.messages?.sent ?? 0;
    total.received += bucket?.messages?.received ?? 0;
  }
  const most = Math.max(...there);
  const top = Math.min(1, roundUp(Math.max(LEAST_SCALE_LOSS, most)));
  const bars = losses.flatMap((loss, place) => {
    if (loss === null) return [html`<rect class="f-gap" x="${place}" y="0" width="1" height="${HEIGHT}"></rect>`];
    const height = Math.max(4, (loss / top) * HEIGHT);
    return loss === 0
      ? []
      : [
          html`<rect class="f-bad" x="${place}" y="${(HEIGHT - height).toFixed(1)}" width="1" height="${height.toFixed(1)}"></rect>`,
        ];
  });
  const overall = percent(1 - Math.min(1, total.received / total.sent));
  const words = `Loss, ${SPANS[span].words}: ${overall} of ${counted(total.sent, what)}, at most ${percent(most)} in ${SPANS[span].each}`;
  return figure(
    html`<b>Loss</b> <small>${overall} of ${counted(total.sent, what)}${
      what === 'message' ? ' to what passes; what is blocked does not count as loss' : ''
    }</small>`,
    scaled(
      percent(top),
      '',
      span,
      html`<svg class="chart low" viewBox="0 0 ${buckets.length} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${words}">${bars}</svg>`,
    ),
  );
};

/** The availability strip: one bar per stretch of time, and the same in words. */
import { html, type Markup } from '../../report/html/markup.js';
import type { Tone } from '../../report/story.js';
import { counted } from '../../words/report.js';
import { type Bucket, SPANS, type Span } from '../history/series.js';

/** Units of a bar's height; a stretch is as high as the share of looks that it stands for. */
const HEIGHT = 20;
/** One bad look among sixty is what people look for: never lower than this. */
const LOWEST = 7;
const STEP = 4;
/** What is blocked has a stripe in each stretch, what is impaired in each third. */
const WARN_STRIPES = 3;

interface Bar {
  readonly ground: Tone;
  readonly mark: Tone | null;
  readonly height: number;
}

const WORST_FIRST = ['bad', 'warn', 'none', 'good'] as const satisfies readonly Tone[];

const barOf = ({ looks }: Bucket): Bar | null => {
  const there = WORST_FIRST.filter((tone) => looks[tone] > 0);
  const [worst] = there;
  const ground = there.at(-1);
  if (worst === undefined || ground === undefined) return null;
  if (worst === ground) return { ground, mark: null, height: 0 };
  const total = looks.good + looks.warn + looks.bad + looks.none;
  const exact = (looks[worst] / total) * HEIGHT;
  // In steps, so that neighbours that differ by little are one stretch.
  return { ground, mark: worst, height: Math.min(HEIGHT, Math.max(LOWEST, Math.ceil(exact / STEP) * STEP)) };
};

const same = (a: Bar | null, b: Bar | null): boolean =>
  a?.ground === b?.ground && a?.mark === b?.mark && a?.height === b?.height;

interface Shares {
  readonly looks: number;
  /** Of the looks that said anything, those that were good or at least passed; null if none did. */
  readonly available: number | null;
  readonly bad: number;
  readonly warn: number;
  readonly none: number;
}

/** What a strip says, counted. */
export const sharesOf = (buckets: readonly (Bucket | null)[]): Shares => {
  const sum = { good: 0, warn: 0, bad: 0, none: 0 };
  for (const bucket of buckets) for (const tone of WORST_FIRST) sum[tone] += bucket?.looks[tone] ?? 0;
  const told = sum.good + sum.warn + sum.bad;
  return {
    looks: told + sum.none,
    available: told === 0 ? null : (sum.good + sum.warn) / told,
    bad: sum.bad,
    warn: sum.warn,
    none: sum.none,
  };
};

/** Cut and not rounded: 100 % is said only of what never failed. */
export const availability = ({ available }: Shares): string =>
  available === null ? 'unknown' : `${available === 1 ? '100' : (Math.floor(available * 1000) / 10).toFixed(1)} %`;

/** The whole strip in a sentence. */
export const stripInWords = (shares: Shares, span: Span): string =>
  shares.looks === 0
    ? `no data in the last ${SPANS[span].words}`
    : `${SPANS[span].words}: available ${availability(shares)}, ${counted(shares.looks, 'run')}, ${shares.bad} bad, ${shares.warn} degraded, ${shares.none} unknown`;

/** @param label what it is about, for who cannot see it */
export const strip = (label: string, buckets: readonly (Bucket | null)[], span: Span, thick = false): Markup => {
  const bars = buckets.map((bucket) => (bucket === null ? null : barOf(bucket)));
  const parts: Markup[] = [];
  const stripes: string[] = [];
  for (let from = 0; from < bars.length; ) {
    const bar = bars[from] ?? null;
    let to = from + 1;
    while (to < bars.length && same(bars[to] ?? null, bar)) to += 1;
    if (bar !== null) {
      parts.push(html`<rect class="f-${bar.ground}" x="${from}" y="0" width="${to - from}" height="${HEIGHT}"></rect>`);
      if (bar.mark !== null)
        parts.push(
          html`<rect class="f-${bar.mark}" x="${from}" y="${HEIGHT - bar.height}" width="${to - from}" height="${bar.height}"></rect>`,
        );
    }
    // Stripes over what is wrong all the time, so that the picture is read without colours, too.
    const every = bar?.ground === 'bad' ? 1 : bar?.ground === 'warn' ? WARN_STRIPES : null;
    for (let place = from; every !== null && place < to; place += every) stripes.push(`M${place + 0.5} 0V${HEIGHT}`);
    from = to;
  }
  if (stripes.length > 0)
    parts.push(html`<path class="s-page" vector-effect="non-scaling-stroke" d="${stripes.join('')}"></path>`);
  const words = `${label}, ${stripInWords(sharesOf(buckets), span)}`;
  return html`<svg class="strip${thick ? ' thick' : ''}" viewBox="0 0 ${bars.length} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${words}">${parts}</svg>`;
};

const KEY: readonly (readonly [Tone | 'gap', string])[] = [
  ['good', 'passes'],
  ['warn', 'degraded or altered'],
  ['bad', 'blocked'],
  ['none', 'unknown'],
  ['gap', 'no data'],
];

/** What the colours mean. */
export const legend = (): Markup =>
  html`<ul class="legend soft" aria-label="Colours">${KEY.map(
    ([fill, word]) =>
      html`<li><svg viewBox="0 0 28 24" preserveAspectRatio="none" aria-hidden="true"><rect class="f-${fill}" x="0" y="0" width="28" height="24"></rect>${
        fill === 'bad' || fill === 'warn'
          ? html`<path class="s-page" vector-effect="non-scaling-stroke" d="${fill === 'bad' ? 'M4 0V24M11 0V24M18 0V24M25 0V24' : 'M14 0V24'}"></path>`
          : ''
      }</svg>${word}</li>`,
  )}</ul>\n`;

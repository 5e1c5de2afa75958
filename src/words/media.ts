/** How calls sound, in sentences: the same in every format that people read. */
import type { Report } from '../model/report.js';
import { bytes, counted, milliseconds, percent } from './report.js';

type Stream = Report['quality'][number];

const CODEC_NAMES: Readonly<Record<string, string>> = {
  g711: 'G.711 with concealment',
  g729: 'G.729A with VAD',
  opus: 'Opus, scored as G.711 with concealment',
};

/** What each direction of audio is called. */
export const DIRECTION_WORDS: Readonly<Record<string, string>> = {
  outbound: 'what they hear (outbound)',
  inbound: 'what we hear (inbound)',
};

/** What a MOS stands for; null of reports that do not say. */
export const modelInWords = ({ model, codec, kind, playoutMs }: Stream): string | null =>
  model === undefined
    ? null
    : [
        `MOS is an estimate by ${model}`,
        ...(codec === undefined ? [] : [CODEC_NAMES[codec] ?? 'a codec that this version does not know']),
        ...(playoutMs === undefined ? [] : [`a playout buffer of ${playoutMs} ms`]),
        ...(kind === undefined ? [] : [kind]),
      ].join(', ');

/** `0.5 % (0.1 to 1.2 %)`; the bounds hold with a probability of 95 %. */
export const lossOfStream = ({ lossRatio, lossLower, lossUpper }: Stream): string =>
  lossLower === undefined || lossUpper === undefined
    ? percent(lossRatio)
    : `${percent(lossRatio)} (${percent(lossLower)} to ${percent(lossUpper)})`;

const KINDS = {
  quota: 'and a second stream, twice as fast, after as many: something counts packets or bytes',
  timer: 'and a second stream, twice as fast, after as long: something counts time',
  unknown: 'and a second stream was cut as well, after neither as many packets nor as long',
} as const;

/** Where a stream was cut or throttled; null if it was not. */
export const throttledInWords = ({ throttledAfter }: Stream): string | null =>
  throttledAfter
    ? `loses more after ${counted(throttledAfter.packets, 'packet')} (${throttledAfter.seconds.toFixed(1)} s, ${bytes(
        throttledAfter.bytes,
      )}), ${KINDS[throttledAfter.kind]}`
    : null;

/** What is worth a word besides loss and jitter: nothing where all is as it should be. */
export const oddities = ({
  delayVariationMs,
  burstRatio = 1,
  longestGap = 0,
  discarded = 0,
  duplicates = 0,
}: Stream) => [
  ...(delayVariationMs ? [`19 of 20 within ${milliseconds(delayVariationMs.p95)} of the quickest`] : []),
  ...(longestGap > 1 ? [`up to ${longestGap} lost in a row`] : []),
  ...(burstRatio > 1.5 ? [`in bursts (${burstRatio.toFixed(1)} times chance)`] : []),
  ...(discarded > 0 ? [`${discarded} too late for the buffer`] : []),
  ...(duplicates > 0 ? [`${duplicates} twice`] : []),
];

const ENDS = {
  outbound: 'the next ones lost packets on the way out',
  inbound: 'the next ones lost packets on the way in',
  'per-flow': 'a single one loses packets already: each flow is limited by itself',
} as const;

/** How many calls at once pass; null where it was not asked or is not known. */
export const capacityInWords = ({ capacity }: Report): string | null => {
  if (!capacity) return null;
  const { calls, limitedBy, asked } = capacity;
  const passed =
    calls === 0 ? 'Not one call passes well' : `${counted(calls, 'call')} at once ${calls === 1 ? 'passes' : 'pass'}`;
  if (limitedBy) return `${passed}; ${ENDS[limitedBy]}.`;
  return calls === asked ? `${passed}; more were not asked for.` : `${passed}; the next step could not be measured.`;
};

/** One direction of a stream as the report has it: loss with its bounds, delay, order, and what a call would sound like. Pure. */
import { type Codec, type MediaPacket, RTP_BYTES } from '../../model/media.js';
import type { Report } from '../../model/report.js';
import {
  delayChangeOf,
  jitterOf,
  lastJitterOf,
  medianOf,
  type Passed,
  PLAYOUT_MS,
  quantile,
  reorderedOf,
  tooLateOf,
  variationOf,
} from './delay.js';
import { type DirectionName, type DirectionSample, roundTripsOf } from './direction.js';
import { mosOf, rFactorOf } from './e-model.js';
import { burstRatioOf, type Loss, lossOf } from './loss.js';

export type Quality = Report['quality'][number];

/** How long the pieces are in which a stream is told over time, in milliseconds. */
const WINDOW_MS = 5000;
/** Points of a chart: a second each, or as long as makes so many. */
const MOST_POINTS = 120;
const POINT_MS = 1000;
/** What a phone takes to fill a packet before it can send it (G.114 Annex A), in milliseconds. */
const PACKETISATION_MS = 20;

const NONE: ReadonlySet<number> = new Set();

const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** IP and UDP headers, RTP's, and the payload. */
export const packetBytes = (payloadBytes: number, family: 4 | 6): number =>
  (family === 6 ? 48 : 28) + RTP_BYTES + payloadBytes;

/** The sample in pieces of so many milliseconds each; `variation` is known of those that came. */
const pieces = (sample: DirectionSample, pieceMs: number) => {
  const variation = variationOf(sample.inOrder);
  const count = Math.max(1, Math.ceil((Math.max(0, ...sample.atMs.slice(-1)) + 1) / pieceMs));
  const all = Array.from({ length: count }, () => ({
    sent: 0,
    lost: 0,
    passed: [] as Passed[],
    variation: [] as number[],
  }));
  const pieceOf = (index: number) => all[Math.min(count - 1, Math.floor((sample.atMs[index] ?? 0) / pieceMs))];
  sample.lost.forEach((isLost, index) => {
    const piece = pieceOf(index);
    if (!piece) return;
    piece.sent += 1;
    if (isLost) piece.lost += 1;
  });
  for (const one of sample.inOrder) {
    const piece = pieceOf(one.index);
    piece?.passed.push(one);
    const above = variation.get(one.index);
    if (above !== undefined) piece?.variation.push(above);
  }
  return all;
};

const windowsOf = (sample: DirectionSample) =>
  pieces(sample, WINDOW_MS).map(({ sent, lost, passed }, index) => ({
    fromMs: index * WINDOW_MS,
    ...{ sent, lost },
    jitterMs: rounded(jitterOf(passed)),
  }));

const pointsOf = (sample: DirectionSample) => {
  const lengthMs = sample.atMs.at(-1) ?? 0;
  const pointMs = POINT_MS * Math.max(1, Math.ceil(lengthMs / POINT_MS / MOST_POINTS));
  return pieces(sample, pointMs).map(({ sent, lost, variation }, index) => ({
    fromMs: index * pointMs,
    ...{ sent, lost },
    delayMs: variation.length === 0 ? null : rounded(medianOf(variation)),
  }));
};

export interface Described {
  readonly quality: Quality;
  readonly loss: Loss;
  readonly sample: DirectionSample;
}

interface Subject {
  readonly port: number;
  readonly codec: Codec;
  readonly direction: DirectionName;
  readonly sample: DirectionSample;
  readonly packets: readonly MediaPacket[];
  /** The receiver says that it was late with its own work: what came late may have lain with it. */
  readonly isReceiverLate: boolean;
}

/** The report's line of one direction. Of no packets nothing is said. */
export const describe = ({ port, codec, direction, sample, packets, isReceiverLate }: Subject): Described | null => {
  const loss = lossOf(sample.lost);
  if (loss.sent === 0) return null;
  const late = isReceiverLate ? NONE : tooLateOf(sample.inOrder);
  // The set-up of its flow a call hears once, and then no more.
  const gone = sample.lost.map((isLost, index) => isLost || late.has(index)).slice(sample.setUp);
  const burstRatio = burstRatioOf(gone);
  const lossRatio = gone.filter(Boolean).length / Math.max(1, gone.length);
  const rttMs = medianOf(roundTripsOf(packets));
  const r = rFactorOf({ codec, lossRatio, burstRatio, oneWayMs: rttMs / 2 + PACKETISATION_MS + PLAYOUT_MS });
  const variation = [...variationOf(sample.inOrder).values()].sort((a, b) => a - b);
  const percentile = (rank: number): number => rounded(quantile(variation, rank));
  const quality: Quality = {
    ...{ port, direction },
    packets: loss.sent,
    lossRatio: rounded(loss.ratio, 6),
    jitterMs: rounded(jitterOf(sample.inOrder)),
    reordered: reorderedOf(sample.inOrder),
    rFactor: rounded(r, 1),
    mos: rounded(mosOf(r)),
    ...{ model: 'ITU-T G.107', codec, kind: 'conversational', playoutMs: PLAYOUT_MS },
    lost: loss.lost,
    burstRatio: rounded(burstRatio),
    lossLower: rounded(loss.lower, 6),
    lossUpper: rounded(loss.upper, 6),
    delayVariationMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99) },
    discarded: late.size,
    duplicates: sample.duplicates,
    longestGap: loss.longestGap,
    lastJitterMs: rounded(lastJitterOf(sample.inOrder)),
    delayChangeMs: rounded(delayChangeOf(sample.inOrder)),
    rttMs: rounded(rttMs),
    windows: windowsOf(sample),
    points: pointsOf(sample),
    throttledAfter: null,
  };
  return { quality, loss, sample };
};

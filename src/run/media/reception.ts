/** What a receiver reports of a stream (RFC 3550 §6.4.1), kept up as its packets come. Pure but for its memory. */
import type { ReportBlock } from '../../wire/rtcp.js';

export interface Reception {
  /** A packet came: its place in the stream, and in milliseconds when its sender means to have sent it, and when it came. */
  note(index: number, meantAtMs: number, atMs: number): void;
  /** Since the last report, and in all; null before the first packet. */
  report(ssrc: number, firstSequence: number): ReportBlock | null;
}

/** Weight of the newest difference in the estimate of jitter: 1/16. */
const JITTER_GAIN = 1 / 16;
/** The field has 24 bits, signed. */
const MOST_LOST = 0x7fffff;
const LEAST_LOST = -0x800000;

/** @param unitsPerMs of the payload format's clock */
export const createReception = (unitsPerMs: number): Reception => {
  let [first, highest, received, jitterMs] = [0, -1, 0, 0];
  let lastTransitMs: number | null = null;
  let before = { expected: 0, received: 0 };
  return {
    note: (index, meantAtMs, atMs) => {
      if (received === 0) first = index;
      received += 1;
      highest = Math.max(highest, index);
      const transitMs = atMs - meantAtMs;
      if (lastTransitMs !== null) jitterMs += (Math.abs(transitMs - lastTransitMs) - jitterMs) * JITTER_GAIN;
      lastTransitMs = transitMs;
    },
    report: (ssrc, firstSequence) => {
      if (received === 0) return null;
      const expected = highest - first + 1;
      const [due, came] = [expected - before.expected, received - before.received];
      before = { expected, received };
      // Lost 256ths, none where copies make it negative (§A.3).
      const fraction = due <= 0 ? 0 : Math.max(0, Math.floor((256 * (due - came)) / due));
      return {
        ssrc,
        fractionLost: Math.min(255, fraction),
        cumulativeLost: Math.min(MOST_LOST, Math.max(LEAST_LOST, expected - received)),
        // Cycles above the sequence number: it has 16 bits of this sum.
        highestSequence: (firstSequence + highest) >>> 0,
        jitter: Math.round(jitterMs * unitsPerMs) >>> 0,
        // The far end sends no reports of its own.
        ...{ lastSr: 0, delaySinceLastSr: 0 },
      };
    },
  };
};

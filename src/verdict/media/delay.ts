/** When the packets of a stream came: jitter, delay variation, order, and what is too late for a playout buffer. Pure. */
import { SPACING_MS } from '../../model/media.js';

/** One packet of one direction that arrived. Each end's times are of its own clock: only differences mean anything. */
export interface Passed {
  /** Its place among the packets that were sent. */
  readonly index: number;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  /** The receiver was held up: when it really came is not known. */
  readonly isBlurred: boolean;
}

/** How much delay variation a phone's buffer takes out, in milliseconds: three packets. */
export const PLAYOUT_MS = 60;
/** A buffer forgets how quick the way was after so long, and plays out later from then on, in milliseconds. */
const PLAYOUT_MEMORY_MS = 4000;
/** Weight of the newest difference in RFC 3550 §6.4.1's estimate: 1/16. */
const JITTER_GAIN = 1 / 16;

/** |D| of RFC 3550 §6.4.1 for each packet and the one that came before it; neither was blurred. */
const differencesOf = (inOrder: readonly Passed[]): readonly number[] =>
  inOrder.flatMap((one, at) => {
    const before = inOrder[at - 1];
    if (!before || before.isBlurred || one.isBlurred) return [];
    return [Math.abs(one.receivedAtMs - before.receivedAtMs - (one.sentAtMs - before.sentAtMs))];
  });

/** A value of a sorted list by its rank, 0–1; 0 of an empty one. */
export const quantile = (sorted: readonly number[], rank: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(rank * sorted.length) - 1))] ?? 0;

const ascending = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);

export const medianOf = (values: readonly number[]): number => quantile(ascending(values), 0.5);

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

/** Of these packets in the order of their coming, the mean |D|, in milliseconds: what J of RFC 3550 tends to. 0 of fewer than two. */
export const jitterOf = (inOrder: readonly Passed[]): number => {
  const differences = differencesOf(inOrder);
  return differences.length === 0 ? 0 : mean(differences);
};

/** J as an RTCP report after the last packet would carry it (RFC 3550 §6.4.1), in milliseconds. */
export const lastJitterOf = (inOrder: readonly Passed[]): number =>
  differencesOf(inOrder).reduce((jitter, difference) => jitter + (difference - jitter) * JITTER_GAIN, 0);

/** Batches that the proof compares with each other: few enough that each holds bursts of delay whole. */
const BATCHES = 6;
/** Student's t of five degrees of freedom, one-sided, 99 %. */
const T_99 = 3.365;
/** With fewer differences in a batch its mean says nothing. */
const LEAST_IN_BATCH = 20;

/**
 * With a probability of 99 % the jitter of the path is no smaller, in milliseconds; 0 where there are too few packets to say so. By
 * means of batches, because packets that wait in the same queue are no independent samples.
 */
export const provenJitter = (inOrder: readonly Passed[]): number => {
  const all = differencesOf(inOrder);
  const size = Math.floor(all.length / BATCHES);
  if (size < LEAST_IN_BATCH) return 0;
  const means = Array.from({ length: BATCHES }, (_, batch) => mean(all.slice(batch * size, (batch + 1) * size)));
  const centre = mean(means);
  const variance = means.reduce((sum, one) => sum + (one - centre) ** 2, 0) / (BATCHES - 1);
  return Math.max(0, centre - T_99 * Math.sqrt(variance / BATCHES));
};

/** Each packet that came after one that was sent later (RFC 4737 §3.3), in the order of coming, with the newest that had come before. */
const overtakenIn = (inOrder: readonly Passed[]): readonly { readonly index: number; readonly newest: number }[] => {
  let newest = -1;
  return inOrder.flatMap(({ index }) => {
    if (index < newest) return [{ index, newest }];
    newest = index;
    return [];
  });
};

/** How many were overtaken. */
export const reorderedOf = (inOrder: readonly Passed[]): number => overtakenIn(inOrder).length;

/**
 * Of each packet, whether disorder begins with it. Packets of which one was overtaken while the next was, too, are one event: what
 * was held for a moment and is let go in any order is no trend.
 */
export const disordersIn = (inOrder: readonly Passed[]): readonly boolean[] => {
  const begins = new Set<number>();
  let untilIndex = -1;
  for (const { index, newest } of [...overtakenIn(inOrder)].sort((a, b) => a.index - b.index)) {
    if (index > untilIndex) begins.add(index);
    untilIndex = Math.max(untilIndex, newest);
  }
  return inOrder
    .map(({ index }) => index)
    .sort((a, b) => a - b)
    .map((index) => begins.has(index));
};

/** A first packet that is so much slower than the usual one was held: as much as lies between two packets, in milliseconds. */
const HELD_MS = SPACING_MS;
/** What lasts longer is no set-up of a flow: a call suffers of it as of anything else, in milliseconds. */
export const LONGEST_SET_UP_MS = 2000;

/**
 * How many packets of a flow were sent while its first one was held: a firewall that looks up or inspects a new flow keeps what comes
 * meanwhile, and lets it go at once, in any order, with what comes next. 0 where the first one was as quick as the others.
 * @param passed in the order of sending
 */
export const setUpOf = (passed: readonly Passed[]): number => {
  const [first] = passed;
  if (!first) return 0;
  const delayOf = (one: Passed): number => one.receivedAtMs - one.sentAtMs;
  const heldMs = delayOf(first) - medianOf(passed.map(delayOf));
  if (heldMs < HELD_MS) return 0;
  // What is released and what has just come leave together: one packet more.
  const untilMs = first.sentAtMs + Math.min(heldMs, LONGEST_SET_UP_MS) + SPACING_MS;
  const after = passed.find(({ sentAtMs }) => sentAtMs > untilMs);
  return after?.index ?? (passed.at(-1)?.index ?? 0) + 1;
};

/** Delay above the shortest of the stream (RFC 5481 §4.2), by place in the stream; blurred ones left out. */
export const variationOf = (inOrder: readonly Passed[]): ReadonlyMap<number, number> => {
  const clear = inOrder.filter(({ isBlurred }) => !isBlurred);
  const least = Math.min(...clear.map((one) => one.receivedAtMs - one.sentAtMs));
  return new Map(clear.map((one) => [one.index, one.receivedAtMs - one.sentAtMs - least]));
};

/**
 * Places of the packets that came later than a playout buffer holds: by more than 60 ms later than the quickest of the last four
 * seconds. Towards the quickest of the first four seconds where the stream has just begun.
 */
export const tooLateOf = (inOrder: readonly Passed[]): ReadonlySet<number> => {
  const bySending = [...inOrder].filter(({ isBlurred }) => !isBlurred).sort((a, b) => a.index - b.index);
  const delays = bySending.map((one) => one.receivedAtMs - one.sentAtMs);
  const sent = bySending.map((one) => one.sentAtMs);
  const late = new Set<number>();
  /** Places of a falling-away minimum: each is quicker than all before it that are still remembered. */
  const quickest: number[] = [];
  let end = 0;
  const beganAtMs = sent[0] ?? 0;
  for (const [place, one] of bySending.entries()) {
    const untilMs = Math.max(one.sentAtMs, beganAtMs + PLAYOUT_MEMORY_MS);
    while (end < bySending.length && (end <= place || (sent[end] ?? 0) <= untilMs)) {
      while (quickest.length > 0 && (delays[quickest.at(-1) ?? 0] ?? 0) >= (delays[end] ?? 0)) quickest.pop();
      quickest.push(end);
      end += 1;
    }
    while ((sent[quickest[0] ?? 0] ?? 0) < one.sentAtMs - PLAYOUT_MEMORY_MS) quickest.shift();
    if ((delays[place] ?? 0) - (delays[quickest[0] ?? place] ?? 0) > PLAYOUT_MS) late.add(one.index);
  }
  return late;
};

/** How much longer the way took at the end of a stream than at its beginning, in milliseconds: medians of a tenth each. */
export const delayChangeOf = (inOrder: readonly Passed[]): number => {
  const clear = [...inOrder].filter(({ isBlurred }) => !isBlurred).sort((a, b) => a.index - b.index);
  const size = Math.ceil(clear.length / 10);
  const delayOf = (part: readonly Passed[]): number => medianOf(part.map((one) => one.receivedAtMs - one.sentAtMs));
  return clear.length === 0 ? 0 : delayOf(clear.slice(-size)) - delayOf(clear.slice(0, size));
};

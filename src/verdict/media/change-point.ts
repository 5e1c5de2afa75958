/** Whether a stream fared worse from some packet on, and what counted there: packets or time. Pure. */

/** So unlikely by chance at any place of the stream. */
const DOUBT = 1e-3;
/** So many packets before and after, or nothing can be compared; some devices let the first three of a flow pass. */
const LEAST_BEFORE = 3;
const LEAST_AFTER = 25;
/** People hear this much loss; what is throttled loses more. */
const LEAST_LOSS = 0.03;

interface ChangePoint {
  /** The first packet that fared worse: so many had passed before it. */
  readonly index: number;
  readonly lossBefore: number;
  readonly lossAfter: number;
}

const lnFactorials = (most: number): Float64Array => {
  const table = new Float64Array(most + 1);
  for (let n = 2; n <= most; n += 1) table[n] = (table[n - 1] ?? 0) + Math.log(n);
  return table;
};

/**
 * Fisher's exact test, one-sided: the probability that of all lost packets so many, or more, lie behind the cut by chance.
 * @param table ln(n!) up to the number of packets
 */
const fisher = (lostAfter: number, after: number, lost: number, sent: number, table: Float64Array): number => {
  const ln = (n: number): number => table[n] ?? 0;
  const ways = (n: number, k: number): number => ln(n) - ln(k) - ln(n - k);
  let sum = 0;
  for (let k = lostAfter; k <= Math.min(after, lost); k += 1) {
    if (lost - k > sent - after) continue;
    sum += Math.exp(ways(after, k) + ways(sent - after, lost - k) - ways(sent, lost));
  }
  return Math.min(1, sum);
};

/** ln of the likelihood of so many losses at their own ratio. */
const fit = (lost: number, sent: number): number => {
  const part = (count: number): number => (count === 0 ? 0 : count * Math.log(count / sent));
  return part(lost) + part(sent - lost);
};

/** Losses at the end of the second part are no rarer than at its beginning: it is no burst that is over. */
const lasts = (lost: readonly boolean[], from: number): boolean => {
  const middle = Math.floor((from + lost.length) / 2);
  const ratio = (part: readonly boolean[]): number => part.filter(Boolean).length / Math.max(1, part.length);
  return ratio(lost.slice(middle)) >= ratio(lost.slice(from, middle)) / 2;
};

/**
 * The packet from which on a stream lost more, if chance does not explain it: Fisher's exact test, with Bonferroni's correction for
 * all places that were looked at. A burst of loss may look like one; only a second stream tells.
 * @param lost of each packet in the order of sending, whether it was lost
 */
export const changePointOf = (lost: readonly boolean[]): ChangePoint | null => {
  const sent = lost.length;
  const total = lost.filter(Boolean).length;
  let before = 0;
  let best: { readonly index: number; readonly before: number; readonly gain: number } | null = null;
  for (let index = 0; index <= sent - LEAST_AFTER; index += 1) {
    const begins = lost[index] === true && lost[index - 1] === false;
    if (begins && index >= LEAST_BEFORE && before / index < (total - before) / (sent - index)) {
      const gain = fit(before, index) + fit(total - before, sent - index);
      if (best === null || gain > best.gain) best = { index, before, gain };
    }
    if (lost[index]) before += 1;
  }
  if (best === null) return null;
  const { index } = best;
  const [lossBefore, lossAfter] = [best.before / index, (total - best.before) / (sent - index)];
  if (lossAfter < LEAST_LOSS || !lasts(lost, index)) return null;
  const chance = fisher(total - best.before, sent - index, total, sent, lnFactorials(sent));
  return chance * sent <= DOUBT ? { index, lossBefore, lossAfter } : null;
};

/** Two change points are the same if they differ by no more than this, or by as many packets. */
const SAME_RATIO = 0.15;
const SAME_PACKETS = 8;

interface Cut {
  readonly packets: number;
  readonly seconds: number;
  /** Packets a second. */
  readonly rate: number;
}

const isSame = (one: number, other: number, slack: number): boolean =>
  Math.abs(one - other) <= Math.max(SAME_RATIO * one, slack);

/**
 * What was counted until two streams of different speed were cut: as many packets, so a quota; as much time, so a timer; `unknown` where both are.
 * Null where neither is: then nothing was counted.
 */
export const kindOfCut = (first: Cut, second: Cut): 'quota' | 'timer' | 'unknown' | null => {
  const samePackets = isSame(first.packets, second.packets, SAME_PACKETS);
  const sameTime = isSame(first.seconds, second.seconds, SAME_PACKETS / Math.max(first.rate, second.rate));
  if (samePackets === sameTime) return samePackets ? 'unknown' : null;
  return samePackets ? 'quota' : 'timer';
};

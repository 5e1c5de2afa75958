/** What a bad path does to datagrams, as a pure function of the clock and a seed: the same seed, the same fate. */

export interface Impairment {
  /** One way, in milliseconds. */
  readonly delay: number;
  /** Up to this much more, evenly distributed, in milliseconds. Order is kept, as in a queue that fills and drains. */
  readonly jitter: number;
  /** Ratios 0–1, each decided for every datagram on its own. */
  readonly loss: number;
  readonly duplicate: number;
  /** Held back for long enough that the datagrams behind it overtake. */
  readonly reorder: number;
}

/** How long a reordered datagram is held back: two packets of a call (20 ms each), so that at least one overtakes. */
export const HELD_BACK_MS = 45;

/** What becomes of one datagram: when each of its copies goes on; none if it is lost. */
export interface Fate {
  readonly releases: readonly number[];
  readonly reordered: boolean;
}

/** One direction of a path. Call it for each datagram with the time in milliseconds. */
export const createFate = (impairment: Impairment, random: () => number): ((nowMs: number) => Fate) => {
  let lastRelease = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    const lost = random() < impairment.loss;
    const reordered = random() < impairment.reorder;
    const duplicated = random() < impairment.duplicate;
    const jitter = random() * impairment.jitter;
    if (lost) return { releases: [], reordered: false };
    const inOrder = Math.max(lastRelease, nowMs + impairment.delay + jitter);
    // A datagram that is held back must not hold up those behind it.
    if (!reordered) lastRelease = inOrder;
    const release = reordered ? inOrder + HELD_BACK_MS : inOrder;
    return { releases: duplicated ? [release, release] : [release], reordered };
  };
};

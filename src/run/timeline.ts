/**
 * When each address was alive: it answered what was sent to it at that moment. Silence counts as evidence only between two
 * such moments that lie close together; a line that is away for seconds swallows whatever is asked meanwhile, and says
 * nothing about any port.
 */

/** A stretch of time in which an address answered again and again, in milliseconds of the run's clock. */
export type Span = readonly [fromMs: number, toMs: number];

export interface Timeline {
  /** An answer came to what was sent to this address at that time. */
  answered(address: string, sentAtMs: number): void;
  /** It was asked where it had answered before: its silence there is no port's. */
  expected(address: string): void;
  /** Whether what was sent at that time was sent while the address was alive. */
  isWitnessed(address: string, sentAtMs: number): boolean;
  /** How many of these sendings were. */
  witnessed(address: string, sentAtMs: readonly number[]): number;
  /** Nothing has come for long, although much was expected. */
  isDeaf(address: string): boolean;
  /** Stretches in which it was alive, in order. */
  spans(address: string): readonly Span[];
}

/**
 * Two answered questions no further apart than this vouch for what was sent between them. Longer than three canaries, so
 * that a lossy line is not taken for one that is away; shorter than two attempts of a check, so that an outage that is not
 * seen takes one of them at most.
 */
const MOMENT_MS = 650;
/** What goes out together with the first or the last answered question of a stretch belongs to it. */
const EDGE_MS = 100;
/** Longer than a burst of loss, and than the four seconds in which a lost question is repeated. */
const DEAF_MS = 5000;
/** At a loss of one half, so many answers that do not come are chance once in four thousand times. */
const DEAF_QUESTIONS = 12;

interface Life {
  readonly spans: [number, number][];
  lastAtMs: number;
  expected: number;
}

/** Takes a moment into the spans; nearly all of them come at the end. */
const merge = (spans: [number, number][], atMs: number): void => {
  let index = spans.length - 1;
  while (index >= 0 && (spans[index]?.[0] ?? 0) - MOMENT_MS > atMs) index -= 1;
  const span = spans[index];
  if (!span || atMs > span[1] + MOMENT_MS) {
    spans.splice(index + 1, 0, [atMs, atMs]);
    return;
  }
  span[0] = Math.min(span[0], atMs);
  span[1] = Math.max(span[1], atMs);
  const before = spans[index - 1];
  if (before && span[0] - before[1] <= MOMENT_MS) {
    before[1] = span[1];
    spans.splice(index, 1);
  }
};

/** Nothing was heard yet. @param now the run's clock, in milliseconds */
export const createTimeline = (now: () => number): Timeline => {
  const lives = new Map<string, Life>();
  const isWithin = (spans: readonly Span[], atMs: number): boolean =>
    spans.some(([from, to]) => atMs >= from - EDGE_MS && atMs <= to + EDGE_MS);
  return {
    answered: (address, sentAtMs) => {
      const life = lives.get(address) ?? { spans: [], lastAtMs: 0, expected: 0 };
      lives.set(address, life);
      life.lastAtMs = now();
      life.expected = 0;
      merge(life.spans, sentAtMs);
    },
    expected: (address) => {
      const life = lives.get(address);
      if (life) life.expected += 1;
    },
    isWitnessed: (address, sentAtMs) => isWithin(lives.get(address)?.spans ?? [], sentAtMs),
    witnessed: (address, sentAtMs) => {
      const spans = lives.get(address)?.spans ?? [];
      return sentAtMs.reduce((count, atMs) => count + (isWithin(spans, atMs) ? 1 : 0), 0);
    },
    isDeaf: (address) => {
      const life = lives.get(address);
      return life !== undefined && now() - life.lastAtMs > DEAF_MS && life.expected >= DEAF_QUESTIONS;
    },
    spans: (address) => lives.get(address)?.spans ?? [],
  };
};

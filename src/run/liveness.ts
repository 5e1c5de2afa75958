/**
 * Whether an address still answers what it answered before. A reflector that ends, or whose line is cut, in the middle of a
 * run leaves nothing but silence; who goes on asking learns nothing, and who blames the ports is wrong.
 */
export interface Hearing {
  /** An answer came from this address. */
  heard(address: string): void;
  /** It was asked where it had answered before: its silence there is no port's. */
  expected(address: string): void;
  /** Nothing has come for long, although much was expected. */
  isDeaf(address: string): boolean;
}

/** Longer than a burst of loss, and than the four seconds in which a lost question is repeated. */
const DEAF_MS = 5000;
/** At a loss of one half, so many answers that do not come are chance once in four thousand times. */
const DEAF_QUESTIONS = 12;

/** Nothing was heard yet. */
export const createHearing = (now: () => number): Hearing => {
  const last = new Map<string, { readonly at: number; expected: number }>();
  return {
    heard: (address) => {
      last.set(address, { at: now(), expected: 0 });
    },
    expected: (address) => {
      const then = last.get(address);
      if (then) then.expected += 1;
    },
    isDeaf: (address) => {
      const then = last.get(address);
      return then !== undefined && now() - then.at > DEAF_MS && then.expected >= DEAF_QUESTIONS;
    },
  };
};

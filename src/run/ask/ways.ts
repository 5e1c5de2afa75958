/** Ways over which a far end is asked for its word, the best first; one that has become deaf meanwhile goes to the end. */
import type { Check } from '../../model/check.js';

export interface Ways {
  /** Each port once, those that are known to be deaf last. */
  inOrder(ways: readonly Check[]): readonly Check[];
  /** Nothing came over it. */
  deaf(way: Check): void;
}

const nameOf = ({ transport, port, address }: Check): string => `${transport}/${port}#${address}`;

/** None is known to be deaf. */
export const createWays = (): Ways => {
  const deaf = new Set<string>();
  return {
    inOrder: (all) => {
      const ways = [...new Map(all.map((way) => [nameOf(way), way])).values()];
      const isDeaf = (way: Check): boolean => deaf.has(nameOf(way));
      return [...ways.filter((way) => !isDeaf(way)), ...ways.filter(isDeaf)];
    },
    deaf: (way) => {
      deaf.add(nameOf(way));
    },
  };
};

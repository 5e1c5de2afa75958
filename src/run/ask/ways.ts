/** Ways over which a far end is asked for its word, the best first; one that has become deaf meanwhile goes to the end. */
import type { Check } from '../../model/check.js';

export interface Ways {
  /** Each port once, those that are known to be deaf last. */
  inOrder(ways: readonly Check[]): readonly Check[];
  /** Nothing came over it. */
  deaf(way: Check): void;
  /** A proven answer came over it. */
  heard(way: Check): void;
  /** The UDP ways to this address that were heard first, whatever becomes of their questions. */
  heardOverUdp(address: string): readonly Check[];
}

/** One would do; several let the best be chosen. */
const MAX_HEARD = 8;

const nameOf = ({ transport, port, address }: Check): string => `${transport}/${port}#${address}`;

/** None is known to be deaf. */
export const createWays = (): Ways => {
  const deaf = new Set<string>();
  const heard = new Map<string, Check[]>();
  return {
    inOrder: (all) => {
      const ways = [...new Map(all.map((way) => [nameOf(way), way])).values()];
      const isDeaf = (way: Check): boolean => deaf.has(nameOf(way));
      return [...ways.filter((way) => !isDeaf(way)), ...ways.filter(isDeaf)];
    },
    deaf: (way) => {
      deaf.add(nameOf(way));
    },
    heard: (way) => {
      const { transport, address } = way;
      if (transport !== 'udp' || address === null) return;
      const known = heard.get(address) ?? [];
      if (known.length < MAX_HEARD && !known.includes(way)) heard.set(address, [...known, way]);
    },
    heardOverUdp: (address) => heard.get(address) ?? [],
  };
};

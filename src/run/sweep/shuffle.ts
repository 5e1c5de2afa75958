/** Order by chance, and few of many. */
import type { Net } from '../net.js';

/** Fisher–Yates with bytes from the net's chance: a port's neighbours are not asked in a burst. */
export const shuffled = <T>(items: readonly T[], random: Net['random']): readonly T[] => {
  const keys = Buffer.from(random(items.length * 4));
  return items
    .map((item, index) => ({ item, key: keys.readUInt32BE(index * 4) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
};

/** At most `count` of them, evenly from the first to the last. */
export const spread = <T>(items: readonly T[], count: number): readonly T[] => {
  const every = Math.max(1, items.length / count);
  return items.filter((_, index) => Math.floor(index / every) !== Math.floor((index - 1) / every));
};

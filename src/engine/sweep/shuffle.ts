/** Order by chance. */
import type { Net } from '../net.js';

/** Fisher–Yates with bytes from the net's chance: a port's neighbours are not asked in a burst. */
export const shuffled = <T>(items: readonly T[], random: Net['random']): readonly T[] => {
  const keys = Buffer.from(random(items.length * 4));
  return items
    .map((item, index) => ({ item, key: keys.readUInt32BE(index * 4) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
};

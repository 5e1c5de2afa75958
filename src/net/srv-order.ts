/** The order in which a client tries the hosts of an SRV record set (RFC 2782, "Usage rules"). */
import type { SrvRecord } from './dns.js';

/** One priority's records in weighted random order: each pick is as likely as its share of the weight that is left. */
const shuffleByWeight = (records: readonly SrvRecord[], random: () => number): SrvRecord[] => {
  // Records of weight 0 go first, which gives them the small chance of being picked that RFC 2782 asks for.
  const left = [...records].sort((one, other) => Number(one.weight > 0) - Number(other.weight > 0));
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const sum = left.reduce((total, { weight }) => total + weight, 0);
    const mark = Math.floor(random() * (sum + 1));
    let running = 0;
    const index = left.findIndex(({ weight }) => {
      running += weight;
      return running >= mark;
    });
    ordered.push(...left.splice(index, 1));
  }
  return ordered;
};

/**
 * Lower priorities first, equal ones shuffled by weight.
 * @param random uniform in [0, 1)
 */
export const orderSrv = (records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] => {
  const byPriority = new Map<number, SrvRecord[]>();
  for (const record of records) {
    const equals = byPriority.get(record.priority);
    if (equals) equals.push(record);
    else byPriority.set(record.priority, [record]);
  }
  return [...byPriority].sort(([one], [other]) => one - other).flatMap(([, equals]) => shuffleByWeight(equals, random));
};

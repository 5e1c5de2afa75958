/**
 * Losses that belong to ports: of questions that were all answered in the end some lost packet after packet, and the others
 * hardly any. A line loses from all alike, so that of a few ports two in a row are rare; a rule that ended meanwhile is not.
 * Pure.
 */
import { atLeast, lossUpperBound } from './silence.js';

/** So unlikely by independent loss: a run looks for it once at each address. */
const DOUBT = 1e-4;
/** One lost packet of a port is loss; more of them in a row may not be. */
const FEWEST = 2;

/**
 * What those that lost none or one say of the line: of a port that is asked until it answers, one is lost with the loss, and
 * two are lost with its square. Null where they say nothing.
 */
const lossOfOthers = (lost: readonly number[]): number | null => {
  const none = lost.filter((count) => count === 0).length;
  const one = lost.filter((count) => count === 1).length;
  // Of both together those with one are p/(1+p).
  const share = lossUpperBound({ trials: none + one, answers: none });
  return share === null || share >= 0.5 ? null : share / (1 - share);
};

/**
 * From how many lost packets on a port lost them for itself; null where the line's loss may explain all of it.
 * @param lost for each port that answered in the end, how many packets it lost before
 * @param known an upper bound of the line's loss that was measured besides; 0 if there is none
 */
export const clusteredFrom = (lost: readonly number[], known = 0): number | null => {
  const others = lossOfOthers(lost);
  if (others === null) return null;
  const loss = Math.max(others, known);
  const most = lost.reduce((sum, count) => Math.max(sum, count), 0);
  for (let count = FEWEST; count <= most; count += 1) {
    const ports = lost.filter((one) => one >= count).length;
    if (atLeast(ports, lost.length, loss ** count) * most <= DOUBT) return count;
  }
  return null;
};

/** Fewer ports that lost something show no part. */
const FEWEST_LOSING = 8;

/**
 * How many ports the part has to which all belong that lost something: those of one parity, or of one stretch. Null where it may be chance: a
 * rule takes from a part of a range, and a line from all of it. @param ports each that answered in the end, and how many packets it lost before
 */
export const losingPart = (ports: readonly { readonly port: number; readonly lost: number }[]): number | null => {
  const losing = ports.filter(({ lost }) => lost > 0).map(({ port }) => port);
  const count = losing.length;
  if (count < FEWEST_LOSING) return null;
  const sizeOf = (has: (port: number) => boolean): number => ports.filter(({ port }) => has(port)).length;
  for (const parity of [0, 1]) {
    const size = sizeOf((port) => port % 2 === parity);
    if (losing.every((port) => port % 2 === parity) && (size / ports.length) ** count <= DOUBT) return size;
  }
  const [from, to] = [Math.min(...losing), Math.max(...losing)];
  const size = sizeOf((port) => port >= from && port <= to);
  // Any two of them may be the ends of the stretch; the others fall between by chance.
  return count ** 2 * (size / ports.length) ** (count - 2) <= DOUBT ? size : null;
};

/** Whether a line that loses at most so much takes that many of these packets once in ten thousand times. */
export const isBeyondLoss = (lost: number, packets: number, loss: number): boolean =>
  atLeast(lost, packets, loss) <= DOUBT;

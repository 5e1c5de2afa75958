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

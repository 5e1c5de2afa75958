/** "Did you mean …?": the candidate that a mistyped word most likely stands for. */

/** Words are compared up to this length, so that a hostile word costs no more than a long honest one. */
const COMPARED_LENGTH = 64;

/**
 * The number of edits that turn one word into the other: insertions, deletions, substitutions, and swaps of
 * neighbours (optimal string alignment), because a swap is the commonest slip of the fingers.
 */
const editDistance = (a: string, b: string): number => {
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const gap = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = swapped ? (beforePrevious[column - 2] ?? 0) + 1 : gap;
      current.push(Math.min(substitution, gap, swap));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
};

/**
 * The candidates close enough to be meant, the closest first; ties keep the order of `candidates`. Close enough is
 * one edit in three letters, because more than that joins words that have nothing to do with each other. A word that
 * begins a candidate counts as close, too.
 */
export const nearestOf = (word: string, candidates: readonly string[]): readonly string[] => {
  const wanted = word.toLowerCase().slice(0, COMPARED_LENGTH);
  if (wanted === '') return [];
  const near: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of candidates) {
    const compared = candidate.toLowerCase().slice(0, COMPARED_LENGTH);
    const distance = editDistance(wanted, compared);
    const tolerated = Math.max(1, Math.floor(Math.max(wanted.length, compared.length) / 3));
    const begins = wanted.length >= 3 && compared.startsWith(wanted);
    if (distance <= tolerated || begins) near.push({ candidate, distance });
  }
  return near.sort((a, b) => a.distance - b.distance).map(({ candidate }) => candidate);
};

/** The one candidate that is meant most likely, or null if none is close. */
export const nearest = (word: string, candidates: readonly string[]): string | null =>
  nearestOf(word, candidates)[0] ?? null;

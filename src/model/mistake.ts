/** What is wrong with a file that a person wrote, and where in it. */
import type * as v from 'valibot';
import { nearest } from './nearest.js';

export type PathKey = string | number;

/** What is wrong with a file's content, and where: the keys that lead to the value at fault. */
export interface Mistake {
  readonly path: readonly PathKey[];
  /** True if the key itself is at fault rather than its value. */
  readonly atKey: boolean;
  readonly message: string;
}

interface ShapeMistake extends Mistake {
  /** The last key of the path. */
  readonly key: string;
  readonly kind: 'value' | 'unknown-key' | 'missing-key';
}

const shapeMistake = (issue: v.BaseIssue<unknown>): ShapeMistake => {
  const path = (issue.path ?? []).map(({ key }): PathKey => (typeof key === 'number' ? key : String(key)));
  const atKey = issue.path?.at(-1)?.origin === 'key';
  // valibot's strictObject expects "never" of a key that it does not know.
  const kind = !atKey ? 'value' : issue.expected === 'never' ? 'unknown-key' : 'missing-key';
  return { path, atKey, message: issue.message, key: String(path.at(-1)), kind };
};

/**
 * Mistakes of shape. A misspelt key is one mistake, not also the absence of the key that it was meant to be; and of one value
 * the first thing that is wrong is said, because what else fails is mostly its consequence.
 */
export const shapeMistakes = (issues: readonly v.BaseIssue<unknown>[]): readonly Mistake[] => {
  const mistakes = issues.map(shapeMistake);
  const mapOf = ({ path }: Mistake): string => JSON.stringify(path.slice(0, -1));
  const missingIn = new Map<string, ShapeMistake[]>();
  for (const mistake of mistakes) {
    if (mistake.kind !== 'missing-key') continue;
    const beside = missingIn.get(mapOf(mistake));
    if (beside === undefined) missingIn.set(mapOf(mistake), [mistake]);
    else beside.push(mistake);
  }
  const explained = new Set<Mistake>();
  for (const mistake of mistakes) {
    if (mistake.kind !== 'unknown-key') continue;
    const beside = missingIn.get(mapOf(mistake)) ?? [];
    const meant = nearest(
      mistake.key,
      beside.map(({ key }) => key),
    );
    for (const missing of beside) if (missing.key === meant) explained.add(missing);
  }
  const told = new Set<string>();
  return mistakes.filter((mistake) => {
    const place = JSON.stringify(mistake.path);
    if (explained.has(mistake) || told.has(place)) return false;
    told.add(place);
    return true;
  });
};

/** What is, against what was said: the table by which the product is judged. */
import { VERDICTS, type Verdict } from '../../src/model/verdict.js';
import { TRUTHS, type Truth } from './reality.js';

/** One comparison; `count` for the ports of a range that were judged together. */
export interface Cell {
  readonly truth: Truth;
  readonly verdict: Verdict;
  readonly count: number;
  /** Scenario and check, for whoever looks for a false verdict. */
  readonly where: string;
}

/** The two that matter: trouble that was overlooked, and an accusation that is wrong. */
export const falsePasses = (cells: readonly Cell[]): readonly Cell[] =>
  cells.filter(({ truth, verdict }) => truth === 'blocked' && verdict === 'pass');
export const falseBlocks = (cells: readonly Cell[]): readonly Cell[] =>
  cells.filter(({ truth, verdict }) => ['open', 'degraded', 'unknown'].includes(truth) && verdict === 'blocked');

const total = (cells: readonly Cell[]): number => cells.reduce((sum, { count }) => sum + count, 0);

/** The table and the false verdicts, as lines. */
export const confusionTable = (cells: readonly Cell[]): readonly string[] => {
  const width = 10;
  const row = (name: string, values: readonly (string | number)[]): string =>
    name.padEnd(width) + values.map((value) => String(value).padStart(width)).join('');
  const falselyPassed = falsePasses(cells);
  const falselyBlocked = falseBlocks(cells);
  const examples = (wrong: readonly Cell[]): string =>
    wrong.length === 0
      ? ''
      : `: ${wrong
          .map(({ where }) => where)
          .slice(0, 5)
          .join(', ')}${wrong.length > 5 ? ' …' : ''}`;
  return [
    row('is \\ said', VERDICTS),
    ...TRUTHS.map((truth) =>
      row(
        truth,
        VERDICTS.map((verdict) => total(cells.filter((cell) => cell.truth === truth && cell.verdict === verdict))),
      ),
    ),
    `${total(cells)} comparisons, ${total(falselyPassed)} false pass${examples(falselyPassed)}, ` +
      `${total(falselyBlocked)} false blocked${examples(falselyBlocked)}`,
  ];
};

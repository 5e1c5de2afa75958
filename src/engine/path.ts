/** What a run has learnt about its path so far; shared by all checks, so that a silent one knows how long to go on. */
import { type LossSample, lossUpperBound } from '../verdict/silence.js';

export interface Path {
  /** Adds a check's packets and answers; only checks that answered at least once say anything about loss. */
  report(checkId: string, packets: number, answers: number): void;
  sample(): LossSample;
  upperBound(): number | null;
}

/** A path about which nothing is known yet. */
export const createPath = (): Path => {
  const answered = new Map<string, LossSample>();
  let cached: number | null | undefined;
  const sample = (): LossSample => {
    let trials = 0;
    let answers = 0;
    for (const check of answered.values()) {
      trials += check.trials;
      answers += check.answers;
    }
    return { trials, answers };
  };
  return {
    report: (checkId, packets, answers) => {
      if (answers === 0) return;
      answered.set(checkId, { trials: packets, answers });
      cached = undefined;
    },
    sample,
    upperBound: () => {
      cached ??= lossUpperBound(sample());
      return cached;
    },
  };
};

/** Asks every planned question that no sweep takes, all at once and in shuffled order: the pacer spaces them. */

import type { RunState } from '../state.js';
import { shuffled } from '../sweep/shuffle.js';

export const askChecks = async (run: RunState): Promise<void> => {
  const { input, sweeps, tools } = run;
  const single = input.questions.filter((question) => !sweeps.takes(question));
  await Promise.all(shuffled(single, tools.net.random).map(run.ask));
};

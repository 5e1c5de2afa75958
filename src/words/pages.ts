/** Captions and hints of what people read on a terminal and in HTML. */

export const NO_PROFILE = 'No profile was chosen, so there is no service to judge.';

/** Of several services, with the titles of those that are worst off. */
export const someWork = (working: number, all: number, worst: readonly string[]): string => {
  const how =
    working === 0
      ? `None of the ${all} services works as it should.`
      : `${working} of ${all} services ${working === 1 ? 'works' : 'work'}.`;
  return `${how} Worst off: ${worst.join(', ')}.`;
};

export const CALLS_CAPTION = 'One row for each step.';

export const REWRITES_CAPTION = 'Each header or field as it was sent, beside what arrived.';

export const INFERRED = ' Ports not tested are inferred from their neighbours.';

export const roundTripScale = (max: string): string =>
  ` Round trips are drawn from 0 to ${max}, with a mark at the median.`;

export const streamsCaption = (mos: string): string =>
  `One row for each stream and direction. ${mos}: 4 and more is good, below 3.6 people complain.`;

export const INFERRED_HINT = 'Ports not tested are inferred from their neighbours; --exhaustive tests all.';

export const timersLate = (delay: string): string => ` Timers of this host were late by at most ${delay}.`;

export const RUNS_CAPTION = 'The newest first; each opens as its full report.';

export const NOT_MEASURED_YET = 'Nothing has been measured yet.';

export const lastResult = (when: string, answer: string): string =>
  `The last result is from ${when}; it said ${answer}.`;

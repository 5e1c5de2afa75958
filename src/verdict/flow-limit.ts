/** What a full table of sessions does to questions that open flows of their own: their silence is about the table. */
import type { PathLimit } from '../model/observation.js';
import type { StudyCheck } from './studies/study-check.js';

/** What is told as not passing, and is silence all the same. */
const OBSERVATIONS = ['stunPasses', 'nonSipPasses', 'crlfPasses'] as const;

const withoutSilence = (evidence: StudyCheck['evidence']): StudyCheck['evidence'] => ({
  ...evidence,
  ...Object.fromEntries(OBSERVATIONS.filter((name) => evidence[name] === false).map((name) => [name, null])),
});

/** Of an address where no new flow passes, what looks blocked over UDP is not known. */
export const withFlowLimit = (
  checks: readonly StudyCheck[],
  limits: ReadonlyMap<string, PathLimit>,
): readonly StudyCheck[] =>
  checks.map((one) => {
    if (one.transport !== 'udp' || limits.get(one.address ?? '')?.kind !== 'flows') return one;
    const evidence = withoutSilence(one.evidence);
    return one.finding.verdict === 'blocked'
      ? { ...one, evidence, finding: { verdict: 'unknown', reason: 'no-answer' } }
      : { ...one, evidence };
  });

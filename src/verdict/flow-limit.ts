/** What a full table of sessions does to questions that open flows of their own: their silence is about the table. */
import type { PathLimit } from '../model/observation.js';
import type { StageCheck } from './sip.js';

/** Of an address where no new flow passes, what looks blocked over UDP is not known. */
export const withFlowLimit = (
  checks: readonly StageCheck[],
  limits: ReadonlyMap<string, PathLimit>,
): readonly StageCheck[] =>
  checks.map((one) =>
    one.transport === 'udp' && one.finding.verdict === 'blocked' && limits.get(one.address ?? '')?.kind === 'flows'
      ? { ...one, finding: { verdict: 'unknown', reason: 'no-answer' } }
      : one,
  );

/** The classification of what needs no weighing, in the shortest way: most ports of a sweep. */
import type { ProbeKind } from '../model/check.js';
import type { Observation } from '../model/observation.js';
import type { Classified } from '../model/verdict.js';

/** Of these an answer is an answer; others tell more of themselves. */
const PLAIN_KINDS: ReadonlySet<ProbeKind> = new Set<ProbeKind>(['rtp-echo', 'rtcp-echo', 'udp-echo']);

/**
 * A port of a range that a reflector answered in full, intact and where it was asked: there is nothing to weigh, and a
 * sweep has thousands. Null for all that needs a closer look; the same as the long way where it is not.
 */
export const classifyPlainly = (
  observation: Observation,
  isReflector: boolean,
  listening: boolean | null,
): Classified | null => {
  const { check, attempts, notRun, refused, seen } = observation;
  const [answer] = attempts;
  if (check.rangeId === null || !isReflector || attempts.length !== 1 || notRun !== null) return null;
  if (answer?.outcome !== 'answer' || answer.authentic !== true || answer.packets !== answer.answers) return null;
  const { attestation, rttMs, detail } = answer;
  if (!attestation?.intact || attestation.arrivalPort !== check.port || rttMs === null) return null;
  if (!PLAIN_KINDS.has(check.probe) || Object.keys(refused).length > 0) return null;
  const rounded = Math.round(rttMs * 1000) / 1000;
  return {
    verdict: 'pass',
    reason: 'answered',
    check,
    confidence: 1,
    sent: answer.packets,
    seen,
    answered: observation.answered ?? null,
    received: answer.answers,
    rttMs: { min: rounded, median: rounded, max: rounded },
    evidence: {
      answer: detail,
      authentic: true,
      intact: true,
      seenAddress: attestation.seenAddress,
      seenPort: attestation.seenPort,
      arrivalPort: attestation.arrivalPort,
      clockSkewMs: attestation.clockSkewMs,
      ...(listening === false && { listening: false }),
    },
  };
};

/** The classification of what needs no weighing, in the shortest way: most ports of a sweep. */
import { isSwept } from '../model/kinds.js';
import type { Observation } from '../model/observation.js';
import type { Classified } from '../model/verdict.js';

/**
 * A port of a range that a reflector answered in full, intact and where it was asked: there is nothing to weigh, and a
 * sweep has thousands. Null for all that needs a closer look; the same as the long way where it is not.
 */
export const classifyPlainly = (
  observation: Observation,
  isReflector: boolean,
  listening: boolean | null,
): Classified | null => {
  const { check, attempts, notRun, refused, seen, atLast, settledRttsMs } = observation;
  const [answer] = attempts;
  if (atLast || settledRttsMs || !check.isOfRange || !isReflector || attempts.length !== 1 || notRun !== null)
    return null;
  if (answer?.outcome !== 'answer' || answer.authentic !== true || answer.packets !== answer.answers) return null;
  const { attestation, rttMs, detail } = answer;
  if (!attestation?.intact || attestation.arrivalPort !== check.port || rttMs === null) return null;
  // Of what a sweep asks an answer is an answer; other kinds tell more of themselves.
  if (!isSwept(check.probe) || Object.keys(refused).length > 0) return null;
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
    duringOutage: 0,
    firstPackets: 0,
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

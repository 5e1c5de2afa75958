/**
 * SIP that arrives in another form and says the same: header names in short, other letters, another order. The proof only
 * knows that the bytes differ; where the comparison knows that nothing else does, nobody is accused.
 */
import type { Observation } from '../model/observation.js';
import type { Classified } from '../model/verdict.js';

/** Classifies a check of a port where only the form of messages changes as if it had arrived as it was sent, and says so. */
export const classifyOverlookingForm = (
  observation: Observation,
  isCosmetic: boolean,
  classify: (one: Observation) => Classified,
): Classified => {
  if (!isCosmetic || observation.check.probe !== 'sip-options') return classify(observation);
  const attempts = observation.attempts.map((attempt) =>
    attempt.outcome === 'answer' && attempt.attestation
      ? { ...attempt, attestation: { ...attempt.attestation, intact: true } }
      : attempt,
  );
  const judged = classify({ ...observation, attempts });
  return { ...judged, evidence: { ...judged.evidence, intact: false, onlyForm: true } };
};

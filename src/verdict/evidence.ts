/** What a verdict rests on, and how sure it is. */
import type { Evidence, Observation } from '../model/observation.js';
import type { Finding, Reason } from '../model/verdict.js';
import type { Answer } from './answered.js';
import type { Circumstances, FarEndState } from './circumstances.js';
import { isOwnPortOnly } from './flows.js';
import { doubtOfSilence } from './silence.js';
import type { Failed } from './unanswered.js';

/** Sendings of a question that had been sent before; a further round of the exchange is a question of its own. */
const retransmissionsOf = (answers: readonly Answer[]): number =>
  answers.reduce((sum, { packets, detail }) => {
    const rounds = Array.isArray(detail.rounds) ? detail.rounds.length : 0;
    return sum + Math.max(0, packets - 1 - rounds);
  }, 0);

/** What a connection showed that opened and brought no answer: the port is open, and whose certificate stands there. */
const openedOf = ({ attempts }: Observation): Evidence => {
  const shown = attempts.flatMap((attempt): readonly Evidence[] =>
    attempt.outcome === 'answer' || attempt.opened === null ? [] : [attempt.opened],
  );
  const opened = shown.find(({ tls }) => tls !== undefined) ?? shown[0];
  return opened ? { opened } : {};
};

/** The facts of a check as a report shows them. */
export const evidenceOf = (
  observation: Observation,
  farEnd: FarEndState,
  listening: boolean | null,
  answers: readonly Answer[],
  failures: readonly Failed[],
): Evidence => {
  const first = answers[0];
  const attestation = first?.attestation;
  const passesAgainAtBytes = answers.length === 0 ? farEnd.passesAgain?.get(observation.check.key) : undefined;
  const statuses = [
    ...new Set(answers.flatMap(({ detail }) => (typeof detail.status === 'number' ? detail.status : []))),
  ];
  return {
    ...(observation.notRun && { notRun: observation.notRun }),
    ...(first && { answer: first.detail }),
    ...(statuses.length > 1 && { statuses }),
    ...(observation.atLast && { silentAtLast: observation.atLast.reduce((sum, { packets }) => sum + packets, 0) }),
    ...(isOwnPortOnly(observation.check, observation.attempts) && { ownPortOnly: true }),
    ...(first && first.authentic !== null && { authentic: answers.every(({ authentic }) => authentic === true) }),
    ...(attestation && {
      intact: attestation.intact,
      seenAddress: attestation.seenAddress,
      seenPort: attestation.seenPort,
      arrivalPort: attestation.arrivalPort,
      clockSkewMs: attestation.clockSkewMs,
    }),
    ...(observation.check.probe === 'nat-t-keepalive' && attestation && { keepalivesSeen: attestation.keepalives }),
    ...(failures.length > 0 && {
      failures: Object.fromEntries(failures.map(({ failure, code }) => [failure, code])),
    }),
    ...(observation.icmp && { icmp: { ...observation.icmp } }),
    ...(Object.keys(observation.refused).length > 0 && { refused: observation.refused }),
    ...(observation.unanswered && { unanswered: { ...observation.unanswered } }),
    ...(answers.length === 0 && observation.unreadable && { unreadable: observation.unreadable }),
    ...(answers.length === 0 && observation.elsewhere && { elsewhere: { ...observation.elsewhere } }),
    ...(answers.length === 0 && openedOf(observation)),
    ...(listening === false && { listening }),
    ...(listening === false && answers.length === 0 && !observation.notRun && { notRun: 'not-listening' }),
    ...(farEnd.role === 'reflector' &&
      observation.check.probe === 'esp-in-udp' &&
      answers.length === 0 && { smallEspPasses: farEnd.smallEspPorts?.has(observation.check.port) ?? false }),
    ...(observation.check.probe === 'ike-sa-init' &&
      answers.length > 0 && { retransmissions: retransmissionsOf(answers) }),
    ...(passesAgainAtBytes !== undefined && { passesAgainAtBytes }),
    ...(farEnd.role === 'reflector' &&
      answers.length === 0 &&
      observation.check.transport === 'udp' && {
        otherBytesPass: farEnd.openUdpPorts.has(observation.check.port),
      }),
  };
};

/** A third party's answer carries no proof; what forges it must have seen the request and be in its way. */
const UNPROVEN_ANSWER = 0.999;

const SAID: ReadonlySet<Reason> = new Set<Reason>(['rejected', 'closed', 'tls-refused', 'unreadable']);

/** How sure a finding is, 0 to 1; `sent` are the packets whose silence counts. */
export const confidenceOf = (
  finding: Finding,
  sent: number,
  answers: readonly Answer[],
  { lossUpperBound }: Circumstances,
): number => {
  if (answers.length > 0) return answers.every(({ authentic }) => authentic === true) ? 1 : UNPROVEN_ANSWER;
  // These rest on what somebody said or showed, and not on how long the silence was.
  if (SAID.has(finding.reason) || finding.verdict === 'altered') {
    return UNPROVEN_ANSWER;
  }
  if (sent === 0) return 0;
  return Math.round((1 - doubtOfSilence(sent, lossUpperBound)) * 1e6) / 1e6;
};

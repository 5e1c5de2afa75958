/**
 * From facts to a verdict, one check at a time: a pure function of what was observed and of what else is known about
 * the address. The order of the questions is the order of honesty: what could not be asked, what something in
 * between did, what passed, and only then who is to blame for silence.
 */
import type { NotRun, Observation } from '../model/observation.js';
import type { Classified, Finding } from '../model/verdict.js';
import { classifyAnswers, summarise } from './answered.js';
import { type Circumstances, type FarEndState, listensOn, unwitnessedBy } from './circumstances.js';
import { confidenceOf, evidenceOf } from './evidence.js';
import { firstPackets, laterRoundTrips } from './flows.js';
import { classifyPlainly } from './plain.js';
import { isUnreadable } from './third-party.js';
import {
  classifyFailures,
  classifySilence,
  foreignCertificate,
  isAfterEnd,
  isShutAtLast,
  isWithheld,
  leftUnanswered,
  openedSilently,
  silentEvidence,
} from './unanswered.js';

const NOT_RUN_REASON = {
  'dns-failure': 'dns-failure',
  'no-network': 'no-network',
  'needs-reflector': 'not-run',
  'not-offered': 'not-run',
  'not-listening': 'not-run',
  'inbound-not-offered': 'not-run',
  'needs-connection': 'not-run',
  interrupted: 'not-run',
} as const satisfies Record<NotRun, string>;

/** Classifies one observation. Deterministic: same facts, same verdict. */
export const classify = (observation: Observation, farEnd: FarEndState, circumstances: Circumstances): Classified =>
  classifyPlainly(observation, farEnd.role === 'reflector', listensOn(farEnd.listens, observation.check)) ??
  classifyFully(observation, farEnd, circumstances);

const classifyFully = (observation: Observation, farEnd: FarEndState, circumstances: Circumstances): Classified => {
  const { check, attempts, notRun, settledRttsMs = [] } = observation;
  const answers = attempts.filter((attempt) => attempt.outcome === 'answer');
  const failures = attempts.filter((attempt) => attempt.outcome === 'error');
  const sent = attempts.reduce((sum, attempt) => sum + attempt.packets, 0);
  const received = answers.reduce((sum, answer) => sum + answer.answers, 0);
  const duringOutage = unwitnessedBy(farEnd, check, attempts);
  const listening = listensOn(farEnd.listens, check);
  const laterRttsMs = check.isOfRange ? [...laterRoundTrips(attempts), ...settledRttsMs] : [];

  const apparent = ((): Finding => {
    if (notRun) return { verdict: 'unknown', reason: NOT_RUN_REASON[notRun] };
    // What arrived and was left unanswered is no loss of the path's, and what was lost in an outage none of the port's; a
    // connection that somebody refused was not lost.
    const refused = check.transport === 'udp' ? 0 : failures.reduce((sum, { packets }) => sum + packets, 0);
    const asked = Math.max(received, sent - duringOutage - leftUnanswered(observation) - refused);
    if (answers.length > 0) return classifyAnswers(check, attempts, asked, received, farEnd, circumstances);
    if (farEnd.role === 'reflector' && listening === false) return { verdict: 'unknown', reason: 'not-run' };
    if (foreignCertificate(attempts, farEnd)) return { verdict: 'altered', reason: 'tls-intercepted' };
    // Only of what has not proven to be a reflector: an answer of its own that is mangled is somebody else's doing.
    if (farEnd.role === 'third-party' && isUnreadable(observation)) return { verdict: 'unknown', reason: 'unreadable' };
    // Refusals at a time when nothing passed are the outage's, as silence is.
    const alive = failures.filter((one) => one.lostAtMs.length === 0 || unwitnessedBy(farEnd, check, [one]) === 0);
    return (
      classifyFailures(alive, farEnd, listening) ??
      classifySilence(observation, duringOutage, farEnd, listening, openedSilently(attempts), circumstances)
    );
  })();
  const finding = ((): Finding => {
    const passed = apparent.verdict === 'pass' || apparent.verdict === 'degraded';
    if (passed && isShutAtLast(observation, farEnd, circumstances)) return { verdict: 'unknown', reason: 'cut-off' };
    if (isAfterEnd(apparent, farEnd)) return { verdict: 'unknown', reason: farEnd.ended ?? 'outage' };
    const isLimited = isWithheld(apparent, observation, sent - received, farEnd);
    return isLimited ? { verdict: 'unknown', reason: 'limited' } : apparent;
  })();

  return {
    ...finding,
    check,
    confidence: confidenceOf(finding, silentEvidence(sent - duringOutage, observation), answers, circumstances),
    sent,
    seen: observation.seen,
    answered: observation.answered ?? null,
    received,
    duringOutage,
    firstPackets: firstPackets(attempts),
    rttMs: summarise(answers),
    ...(laterRttsMs.length > 0 && { laterRttsMs }),
    evidence: evidenceOf(observation, farEnd, listening, answers, failures),
  };
};

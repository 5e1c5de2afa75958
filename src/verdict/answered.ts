/** A check that was answered: were the answers the far end's, and did all arrive as sent and soon enough? */
import type { Check } from '../model/check.js';
import { kindOf } from '../model/kinds.js';
import type { Attempt } from '../model/observation.js';
import type { Finding, RttSummary } from '../model/verdict.js';
import { ofRecurrence, recurrenceFor } from './away.js';
import { type Circumstances, type FarEndState, limitsCalls, unwitnessedBy } from './circumstances.js';
import {
  awayAtFirst,
  connectionsDie,
  deadConnections,
  deadFlows,
  firstPackets,
  flowsDie,
  holdsFirst,
  isOwnPortOnly,
  laterRoundTrips,
  losesFirst,
  lostAtFirst,
} from './flows.js';
import { doubtOfSilence, lossLowerBound } from './silence.js';

export type Answer = Extract<Attempt, { outcome: 'answer' }>;

/** What another's answer is called, by the protocol that it came in. */
const impostor = (check: Check): Finding => {
  if (check.transport === 'tls') return { verdict: 'altered', reason: 'tls-intercepted' };
  return { verdict: 'altered', reason: kindOf(check.probe).meddling?.answered ?? 'answered-by-other' };
};

/** What a change on the way is called: whoever rewrites HTTP or DNS has taken part in it. */
const rewritten = ({ probe }: Check): Finding => ({
  verdict: 'altered',
  reason: kindOf(probe).meddling?.rewritten ?? 'payload-rewritten',
});

/** @param sorted ascending, not empty */
const median = (sorted: readonly number[]): number => {
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
};

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

/** The round trips of the answers that have one, or null. */
export const summarise = (answers: readonly Answer[]): RttSummary | null => {
  const rtts = answers.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])).sort((a, b) => a - b);
  const [min] = rtts;
  const max = rtts.at(-1);
  if (min === undefined || max === undefined) return null;
  return { min: round(min), median: round(median(rtts)), max: round(max) };
};

/** Its answer proves the path; loss and length of the way need more than one server's manners to be shown. */
const ofThirdParty = (
  answers: readonly Answer[],
  { lineLoses = () => false, isWayLong = () => false }: FarEndState,
  { lossRatio, rttMs }: Circumstances['thresholds'],
): Finding => {
  if (lineLoses(lossRatio)) return { verdict: 'degraded', reason: 'loss' };
  const rtt = summarise(answers);
  if (rtt && rtt.min > rttMs && isWayLong(rttMs)) return { verdict: 'degraded', reason: 'latency' };
  return { verdict: 'pass', reason: 'answered' };
};

/** Flows that brought nothing, and in how many packets of ours. */
const deadOf = ({ transport }: Check, attempts: readonly Attempt[]): ReturnType<typeof deadFlows> => {
  if (transport === 'udp') return deadFlows(attempts);
  const connections = deadConnections(attempts) - awayAtFirst(attempts);
  return { flows: connections, packets: connections };
};

/** Judges what was answered; `packets` and `received` count the whole check's. */
export const classifyAnswers = (
  check: Check,
  attempts: readonly Attempt[],
  packets: number,
  received: number,
  farEnd: FarEndState,
  { doubt, lossUpperBound, thresholds }: Circumstances,
): Finding => {
  const answers = attempts.filter((attempt) => attempt.outcome === 'answer');
  const authentic = answers.filter((answer) => answer.authentic === true);
  if (farEnd.role === 'reflector') {
    // Two voices on one port: whichever is loud enough to answer may carry the call.
    if (answers.some((answer) => answer.authentic !== true)) return impostor(check);
    if (authentic.some(({ attestation }) => attestation && !attestation.intact)) return rewritten(check);
    if (authentic.some(({ attestation }) => attestation && attestation.arrivalPort !== check.port)) {
      return { verdict: 'altered', reason: 'answered-by-other' };
    }
    if (
      check.probe === 'nat-t-keepalive' &&
      authentic.every(({ attestation }) => attestation !== null && attestation.keepalives === 0)
    ) {
      return { verdict: 'blocked', reason: 'payload-filtered' };
    }
  }
  // A port of a range is asked too seldom to show quality; classifyRange judges all of them together.
  if (check.isOfRange) return { verdict: 'pass', reason: 'answered' };
  if (farEnd.role !== 'reflector') return ofThirdParty(answers, farEnd, thresholds);
  const isUdp = check.transport === 'udp';
  const died = attempts.some((one) => one.outcome === 'silence');
  if (!isUdp && died && connectionsDie(farEnd.connections, lossUpperBound)) {
    return { verdict: 'degraded', reason: 'flow-loss' };
  }
  if (!isUdp && died && farEnd.connections?.isLimited) return { verdict: 'degraded', reason: 'rate-limited' };
  if (isUdp && flowsDie(farEnd.flows)) return { verdict: 'degraded', reason: 'flow-loss' };
  // Silent from one source port and not from another, beyond what loss explains: it is about the flow. One answer among
  // many questions is loss, or a limit on answers, and no flow that lives.
  // Where something limits the path over UDP, that took them.
  // And where all flows to other ports live, no link is dead: a port of its own loses packets, or limits them, or lets in its
  // own source port alone.
  const allLive = isUdp && farEnd.flows?.dead === 0 && !isOwnPortOnly(check, attempts);
  const isAlive = received > 1 && !allLive && !losesFirst(farEnd.flows) && !(isUdp && farEnd.limit);
  const dead = deadOf(
    check,
    attempts.filter((one) => unwitnessedBy(farEnd, check, [one]) === 0),
  );
  if (isAlive && dead.flows > 1 && doubtOfSilence(dead.packets, lossUpperBound) <= doubt) {
    return { verdict: 'degraded', reason: 'flow-loss' };
  }
  const first = isUdp ? lostAtFirst(farEnd.flows) * firstPackets(attempts) : awayAtFirst(attempts);
  if (lossLowerBound({ trials: packets - first, answers: received }) > thresholds.lossRatio) {
    const isPoliced = isUdp && limitsCalls(farEnd.limit);
    return { verdict: 'degraded', reason: isPoliced ? 'rate-limited' : 'loss' };
  }
  // What was lost while nothing passed at all is no port's loss, and calls lose it all the same.
  const recurrence = recurrenceFor(farEnd.recurrence, isUdp);
  if (recurrence) return ofRecurrence(recurrence);
  // The shortest: what only some of a few answers took is a busy host's, or a retransmission's below us.
  const rtts =
    isUdp && holdsFirst(farEnd.flows)
      ? laterRoundTrips(attempts)
      : answers.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs]));
  if (rtts.length > 0 && Math.min(...rtts) > thresholds.rttMs) return { verdict: 'degraded', reason: 'latency' };
  return { verdict: 'pass', reason: 'answered' };
};

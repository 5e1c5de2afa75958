/** A check that was not answered: who said no, whose silence it is, and in which direction it lies. */
import { SPACING_MS } from '../model/media.js';
import type { Attempt, Failure, Observation } from '../model/observation.js';
import type { Finding } from '../model/verdict.js';
import { type Circumstances, type FarEndState, isWithin, unwitnessedBy } from './circumstances.js';
import { connectionsDie, deadShare, mayBeFirst, silentFlows } from './flows.js';
import { doubtOfSilence, isOutage } from './silence.js';
import { refusal } from './third-party.js';

export type Failed = Extract<Attempt, { outcome: 'error' }>;

/** Failures of this host: the question never reached the network. */
const LOCAL: ReadonlySet<Failure> = new Set<Failure>([
  'local-denied',
  'address-unavailable',
  'too-large',
  'exhausted',
  'other',
]);
/** Failures that came from the network or the far end: somebody said no. */
const REFUSALS: ReadonlySet<Failure> = new Set<Failure>([
  'refused',
  'reset',
  'host-unreachable',
  'net-unreachable',
  'prohibited',
  'tls-failed',
  'closed-early',
]);

/** How a connection ends that the far end opened and then thought better of. */
const CUT_OFF: ReadonlySet<Failure> = new Set<Failure>(['reset', 'closed-early', 'tls-failed']);

/** No question waits less for its answer, so what the far end was late by below this explains no silence. */
const LATE_MS = 300;

const unknown = (reason: Extract<Finding, { verdict: 'unknown' }>['reason']): Finding => ({
  verdict: 'unknown',
  reason,
});
const blocked = (reason: Extract<Finding, { verdict: 'blocked' }>['reason']): Finding => ({
  verdict: 'blocked',
  reason,
});

/** Packets that arrived, and that the far end says it did not answer; 0 where it does not tell. */
export const leftUnanswered = ({ seen, answered }: Observation): number =>
  seen === null ? 0 : Math.max(0, seen - (answered ?? seen));

/** Packets whose silence is the path's: of what arrived only the answers can have been lost on it. */
export const silentEvidence = (packets: number, { seen, answered }: Observation): number =>
  seen === null || seen === 0 ? packets : Math.min(packets, answered ?? seen);

/** What the far end withheld or lost itself is no firewall's doing, as long as it can explain all that is missing. */
export const isWithheld = (
  finding: Finding,
  { check, attempts, seen, answered = null }: Observation,
  missing: number,
  { heldBack = 0, listens }: FarEndState,
): boolean => {
  if (missing === 0 || (finding.verdict !== 'blocked' && finding.reason !== 'loss')) return false;
  // A connection that it hung up on, because of a ceiling, has brought nothing that it could have counted.
  const wasCutOff = attempts.some((one) => one.outcome === 'error' && CUT_OFF.has(one.failure));
  if (check.transport !== 'udp' && wasCutOff && heldBack > 0) return true;
  // What its host dropped nobody could count.
  if (check.transport === 'udp' && isWithin(listens?.overruns ?? [], check.port)) return true;
  const said = attempts.some(
    (one) => one.outcome === 'error' && REFUSALS.has(one.failure) && !CUT_OFF.has(one.failure),
  );
  // Where it tells of each packet whether it was answered, nothing else that it held back has to do with this check.
  if (check.transport === 'udp' && seen !== null && answered !== null) return false;
  // Where it does not, answers may have come after they were waited for.
  if (check.transport === 'udp' && (listens?.lateMs ?? 0) >= LATE_MS) return true;
  // It counts what arrived before it decides to answer, so "never arrived" holds all the same.
  return !said && seen !== 0 && missing <= heldBack;
};

/** Whether a finding rests on what was left unanswered after nothing came from the far end any more. */
export const isAfterEnd = ({ verdict, reason }: Finding, { ended = null }: FarEndState): boolean =>
  ended !== null &&
  (verdict === 'blocked' ||
    reason === 'loss' ||
    reason === 'rate-limited' ||
    reason === 'no-answer' ||
    reason === 'outage');

/**
 * TLS opened and no proof came through it. Whoever shows another certificate than the reflector's own has ended the
 * session in its place; with the right certificate it is the far end's silence.
 */
export const foreignCertificate = (attempts: readonly Attempt[], farEnd: FarEndState): boolean => {
  const own = farEnd.listens?.certificateSha256;
  if (farEnd.role !== 'reflector' || !own) return false;
  return attempts.some((attempt) => {
    if (attempt.outcome === 'answer' || !attempt.opened) return false;
    const tls = attempt.opened.tls;
    const shown = typeof tls === 'object' && tls !== null && 'certificateSha256' in tls ? tls.certificateSha256 : null;
    return typeof shown === 'string' && shown !== own;
  });
};

/** What a failed sending or connection means; null if it means no more than silence. */
export const classifyFailures = (
  failures: readonly Failed[],
  farEnd: FarEndState,
  listening: boolean | null,
): Finding | null => {
  const of = (set: ReadonlySet<Failure>): Failed | undefined => failures.find(({ failure }) => set.has(failure));
  if (of(LOCAL)) return unknown('local-error');
  if (failures.some(({ failure }) => failure === 'no-route')) {
    // Something else of this address passes, so there is a route, and the "no" came from the path.
    return farEnd.alive && farEnd.role === 'reflector' && listening ? blocked('rejected') : unknown('no-network');
  }
  const refusals = failures.filter(({ failure }) => REFUSALS.has(failure));
  if (refusals.length === 0) return null;
  return farEnd.role === 'reflector' && listening ? blocked('rejected') : refusal(refusals, farEnd.alive);
};

/** Fewer source ports than this, and a silence may be a flow's and not the port's. */
const MIN_FLOWS = 3;

/** Whether the flows that were asked may all be dead ones. */
const mayBeFlows = (
  attempts: readonly Attempt[],
  { flows, connections }: FarEndState,
  { transport }: Observation['check'],
  { doubt, lossUpperBound }: Circumstances,
): boolean => {
  if (transport === 'udp' && mayBeFirst(attempts, flows)) return true;
  const silent = silentFlows(attempts);
  // What a limit of new connections takes is none of the port's.
  if (transport !== 'udp' && connections?.isLimited) return true;
  if (transport !== 'udp') {
    return connectionsDie(connections, lossUpperBound) && (deadShare(connections) ?? 0) ** silent > doubt;
  }
  // Attempts without a source port are told apart by nothing.
  if (attempts.every(({ sourcePort }) => sourcePort === null)) return false;
  const dead = deadShare(flows);
  return silent < MIN_FLOWS || (dead !== null && dead ** silent > doubt);
};

/**
 * Whether what had passed was shut by the end: refused there, or silent from several source ports, beyond what loss and outages
 * explain.
 */
export const isShutAtLast = (
  { check, atLast }: Observation,
  farEnd: FarEndState,
  circumstances: Circumstances,
): boolean => {
  // Of who had ended by then nothing passes, and no single port was shut.
  if (!atLast || farEnd.role !== 'reflector' || farEnd.ended) return false;
  const refused = atLast.some(
    (one) =>
      one.outcome === 'error' &&
      REFUSALS.has(one.failure) &&
      // What says no while nothing passes says it of everything.
      unwitnessedBy(farEnd, check, [one]) === 0,
  );
  // A reflector that protects itself hangs up as well, and says so.
  if (refused) return check.transport === 'udp' || (farEnd.heldBack ?? 0) === 0;
  const packets = atLast.reduce((sum, one) => sum + one.packets, 0) - unwitnessedBy(farEnd, check, atLast);
  const { lossUpperBound, doubt } = circumstances;
  return doubtOfSilence(packets, lossUpperBound) <= doubt && !mayBeFlows(atLast, farEnd, check, circumstances);
};

/** A call sends as many packets a second; who passes fewer leaves no port that could be told from another. */
const ONE_CALL_PPS = 1000 / SPACING_MS;

/**
 * Where no new flow passes, silence is about the number of flows and not about the port; and where so few packets pass, some ports are
 * silent each time, whichever they are: a limit of new flows per second looks like that as well.
 */
const silencesAnyPort = (limit: FarEndState['limit']): boolean =>
  limit?.kind === 'flows' || (limit?.kind === 'rate' && limit.packetsPerSecond < ONE_CALL_PPS);

/** What silence means, if anything; `duringOutage` of its packets went out while the line was away. */
export const classifySilence = (
  observation: Observation,
  duringOutage: number,
  farEnd: FarEndState,
  listening: boolean | null,
  opened: boolean,
  circumstances: Circumstances,
): Finding => {
  const { attempts, check, seen } = observation;
  if (!farEnd.alive && farEnd.asked > 1) return unknown('target-unreachable');
  if (farEnd.role !== 'reflector' || !farEnd.alive) return unknown('no-answer');
  // Without its word that it listens there, its silence may be a port that it could not bind.
  if (!listening) return unknown('no-answer');
  if (check.transport === 'udp' && silencesAnyPort(farEnd.limit)) return unknown('no-answer');
  // Something arrives there from our address, and nobody can read it: ours that was changed, or another host's.
  const isUnreadable = check.transport === 'udp' && isWithin(farEnd.listens?.unreadable ?? [], check.port);
  if (isUnreadable && (seen ?? 0) === 0) return unknown('no-answer');
  const { lossUpperBound, doubt } = circumstances;
  const packets = attempts.reduce((sum, one) => sum + one.packets, 0) - duringOutage;
  const lost = silentEvidence(packets, observation);
  if (doubtOfSilence(lost, lossUpperBound) > doubt) {
    // It saw the question: what it did not answer is its own doing, and nobody else's.
    if (leftUnanswered(observation) > 0) return unknown('limited');
    const wasAway = duringOutage > 0 && farEnd.silences?.some((one) => isOutage(one, lossUpperBound));
    return unknown(wasAway ? 'outage' : 'no-answer');
  }
  if (mayBeFlows(attempts, farEnd, check, circumstances)) return unknown('no-answer');
  if (farEnd.onlyShortPasses?.has(check.key)) return blocked('size-filtered');
  if (check.probe === 'esp-in-udp' && farEnd.smallEspPorts?.has(check.port)) return blocked('size-filtered');
  const otherBytesPass = check.transport === 'udp' ? farEnd.openUdpPorts.has(check.port) : opened;
  if (otherBytesPass) return blocked('payload-filtered');
  if (seen === null) return blocked('dropped');
  return blocked(seen > 0 ? 'dropped-inbound' : 'dropped-outbound');
};

/** The connection stood, so the port passes, and what was said over it went unanswered. */
export const openedSilently = (attempts: readonly Attempt[]): boolean =>
  attempts.some((attempt) => attempt.outcome === 'silence' && attempt.opened !== null);

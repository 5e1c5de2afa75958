/**
 * From facts to a verdict, one check at a time: a pure function of what was observed and of what else is known about
 * the address. The order of the questions is the order of honesty: what could not be asked, what something in
 * between did, what passed, and only then who is to blame for silence.
 */
import type { Check, ProbeKind } from '../model/check.js';
import type { Attempt, Evidence, Failure, NotRun, Observation, PathLimit } from '../model/observation.js';
import type { Thresholds } from '../model/profile.js';
import type { Classified, Finding, RttSummary } from '../model/verdict.js';
import { classifyPlainly } from './plain.js';
import { doubtOfSilence, lossLowerBound } from './silence.js';

/** What is known about an address besides the check itself. */
export interface Standing {
  /** `reflector` only once it has proven itself with an authentic answer. */
  readonly role: 'reflector' | 'third-party';
  /** Anything at all from this address answered: the control without which nothing is blamed. */
  readonly alive: boolean;
  /** How many different questions went to this address; a lone one has no control. */
  readonly asked: number;
  /** What the reflector says it listens on, or null if it could not be asked. */
  readonly listens: Listens | null;
  /** Ports of UDP on which other bytes than this check's passed. */
  readonly openUdpPorts: ReadonlySet<number>;
  /** What was found to limit the path over UDP; null or left out where nothing was. */
  readonly limit?: PathLimit | null;
  /** Answers and connections that the reflector says it held back to protect itself; 0 if left out. */
  readonly heldBack?: number;
  /** Ports of UDP on which ESP passed in a small packet. */
  readonly smallEspPorts?: ReadonlySet<number>;
}

export interface Listens {
  readonly udp: readonly PortSpan[];
  /** Each speaks plain TCP and TLS alike. */
  readonly tcp: readonly PortSpan[];
  /** UDP ports at which its host lately dropped datagrams before they were read. */
  readonly overruns?: readonly PortSpan[];
  /** Fingerprint of the certificate that it shows, as Node prints it (`AB:CD:…`). */
  readonly certificateSha256: string | null;
}
export type PortSpan = readonly [from: number, to: number];

/** What the whole path is known to lose, and what a call bears. */
export interface Circumstances {
  readonly lossUpperBound: number | null;
  /** The probability of a false "blocked" that is tolerated for this check. */
  readonly doubt: number;
  readonly thresholds: Pick<Thresholds, 'lossRatio' | 'rttMs'>;
}

type Answer = Extract<Attempt, { outcome: 'answer' }>;
type Failed = Extract<Attempt, { outcome: 'error' }>;

const NOT_RUN_REASON = {
  'dns-failure': 'dns-failure',
  'no-network': 'no-network',
  'needs-reflector': 'not-run',
  'not-offered': 'not-run',
  'not-listening': 'not-run',
  interrupted: 'not-run',
} as const satisfies Record<NotRun, string>;

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

/** What the far end withheld or lost itself is no firewall's doing, as long as it can explain all that is missing. */
const isWithheld = (
  finding: Finding,
  { check, attempts, seen }: Observation,
  missing: number,
  { heldBack = 0, listens }: Standing,
): boolean => {
  if (missing === 0 || (finding.verdict !== 'blocked' && finding.reason !== 'loss')) return false;
  // What its host dropped nobody could count.
  if (check.transport === 'udp' && isWithin(listens?.overruns ?? [], check.port)) return true;
  const said = attempts.some(
    (one) => one.outcome === 'error' && REFUSALS.has(one.failure) && !CUT_OFF.has(one.failure),
  );
  // It counts what arrived before it decides to answer, so "never arrived" holds all the same.
  return !said && seen !== 0 && missing <= heldBack;
};

/** What another's answer is called, by the protocol that it came in. */
const IMPOSTOR: Partial<Record<ProbeKind, Finding>> = {
  'tls-handshake': { verdict: 'altered', reason: 'tls-intercepted' },
  http: { verdict: 'altered', reason: 'http-intercepted' },
  dns: { verdict: 'altered', reason: 'dns-intercepted' },
};

const impostor = (check: Check): Finding => {
  if (check.transport === 'tls') return { verdict: 'altered', reason: 'tls-intercepted' };
  return IMPOSTOR[check.probe] ?? { verdict: 'altered', reason: 'answered-by-other' };
};

/** What a change on the way is called: whoever rewrites HTTP or DNS has taken part in it. */
const REWRITER: Partial<Record<ProbeKind, Finding>> = {
  'sip-options': { verdict: 'altered', reason: 'sip-alg' },
  http: { verdict: 'altered', reason: 'http-intercepted' },
  dns: { verdict: 'altered', reason: 'dns-intercepted' },
};

const rewritten = (check: Check): Finding =>
  REWRITER[check.probe] ?? { verdict: 'altered', reason: 'payload-rewritten' };

const unknown = (reason: Extract<Finding, { verdict: 'unknown' }>['reason']): Finding => ({
  verdict: 'unknown',
  reason,
});
const blocked = (reason: Extract<Finding, { verdict: 'blocked' }>['reason']): Finding => ({
  verdict: 'blocked',
  reason,
});

const isWithin = (spans: readonly PortSpan[], port: number): boolean =>
  spans.some(([from, to]) => from <= port && port <= to);

/** Whether the far end listens there; null if it could not be asked. */
export const listensOn = (listens: Listens | null, check: Pick<Check, 'transport' | 'port'>): boolean | null =>
  listens === null ? null : isWithin(listens[check.transport === 'udp' ? 'udp' : 'tcp'], check.port);

/** @param sorted ascending, not empty */
const median = (sorted: readonly number[]): number => {
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
};

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

const summarise = (answers: readonly Answer[]): RttSummary | null => {
  const rtts = answers.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])).sort((a, b) => a - b);
  const [min] = rtts;
  const max = rtts.at(-1);
  if (min === undefined || max === undefined) return null;
  return { min: round(min), median: round(median(rtts)), max: round(max) };
};

/**
 * Twenty calls at fifty packets a second each way: a limit above hurts no branch, and may be this host's own. What lies
 * below is told of every range, because a range stands for many calls at once.
 */
const HARMLESS_PPS = 1000;

/** As many flows serve five hundred calls, RTP and RTCP each. */
const HARMLESS_FLOWS = 1000;

/** Whether the path passes fewer packets a second, or fewer flows, than the calls of a branch need. */
export const limitsCalls = (limit: PathLimit | null | undefined): boolean => {
  if (!limit) return false;
  return limit.kind === 'rate' ? limit.packetsPerSecond < HARMLESS_PPS : limit.flows < HARMLESS_FLOWS;
};

/** Answers were given: were they the far end's, and did all arrive as sent and soon enough? */
const classifyAnswers = (
  check: Check,
  answers: readonly Answer[],
  packets: number,
  received: number,
  standing: Standing,
  { thresholds }: Circumstances,
): Finding => {
  const authentic = answers.filter((answer) => answer.authentic === true);
  if (standing.role === 'reflector') {
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
      return blocked('payload-filtered');
    }
  }
  // A port of a range is asked too seldom to show quality; classifyRange judges all of them together.
  if (check.rangeId !== null) return { verdict: 'pass', reason: 'answered' };
  if (lossLowerBound({ trials: packets, answers: received }) > thresholds.lossRatio) {
    const isPoliced = check.transport === 'udp' && limitsCalls(standing.limit);
    return { verdict: 'degraded', reason: isPoliced ? 'rate-limited' : 'loss' };
  }
  // The shortest: what only some of a few answers took is a busy host's, or a retransmission's below us.
  const rtt = summarise(answers);
  if (rtt && rtt.min > thresholds.rttMs) return { verdict: 'degraded', reason: 'latency' };
  return { verdict: 'pass', reason: 'answered' };
};

/**
 * TLS opened and no proof came through it. Whoever shows another certificate than the reflector's own has ended the
 * session in its place; with the right certificate it is the far end's silence.
 */
const foreignCertificate = (attempts: readonly Attempt[], standing: Standing): boolean => {
  const own = standing.listens?.certificateSha256;
  if (standing.role !== 'reflector' || !own) return false;
  return attempts.some((attempt) => {
    if (attempt.outcome === 'answer' || !attempt.opened) return false;
    const tls = attempt.opened.tls;
    const shown = typeof tls === 'object' && tls !== null && 'certificateSha256' in tls ? tls.certificateSha256 : null;
    return typeof shown === 'string' && shown !== own;
  });
};

const classifyFailures = (
  failures: readonly Failed[],
  standing: Standing,
  listening: boolean | null,
): Finding | null => {
  const of = (set: ReadonlySet<Failure>): Failed | undefined => failures.find(({ failure }) => set.has(failure));
  if (of(LOCAL)) return unknown('local-error');
  if (failures.some(({ failure }) => failure === 'no-route')) {
    // Something else of this address passes, so there is a route, and the "no" came from the path.
    return standing.alive && standing.role === 'reflector' && listening ? blocked('rejected') : unknown('no-network');
  }
  if (!of(REFUSALS)) return null;
  return standing.role === 'reflector' && listening ? blocked('rejected') : unknown('closed');
};

const classifySilence = (
  packets: number,
  seen: number | null,
  standing: Standing,
  listening: boolean | null,
  opened: boolean,
  check: Check,
  circumstances: Circumstances,
): Finding => {
  if (!standing.alive && standing.asked > 1) return unknown('target-unreachable');
  if (standing.role !== 'reflector' || !standing.alive) return unknown('no-answer');
  // Without its word that it listens there, its silence may be a port that it could not bind.
  if (!listening) return unknown('no-answer');
  // Where no new flow passes, silence is about the number of flows and not about the port.
  if (standing.limit?.kind === 'flows' && check.transport === 'udp') return unknown('no-answer');
  const { lossUpperBound, doubt } = circumstances;
  // Of what arrived each was answered, so it is the answers' loss that would have to explain the silence.
  const lost = seen === null || seen === 0 ? packets : seen;
  if (doubtOfSilence(lost, lossUpperBound) > doubt) return unknown('no-answer');
  if (check.probe === 'esp-in-udp' && standing.smallEspPorts?.has(check.port)) return blocked('size-filtered');
  const otherBytesPass = check.transport === 'udp' ? standing.openUdpPorts.has(check.port) : opened;
  if (otherBytesPass) return blocked('payload-filtered');
  if (seen === null) return blocked('dropped');
  return blocked(seen > 0 ? 'dropped-inbound' : 'dropped-outbound');
};

/** The connection stood, so the port passes, and what was said over it went unanswered. */
const openedSilently = (attempts: readonly Attempt[]): boolean =>
  attempts.some((attempt) => attempt.outcome === 'silence' && attempt.opened !== null);

/** Sendings of a question that had been sent before; a further round of the exchange is a question of its own. */
const retransmissionsOf = (answers: readonly Answer[]): number =>
  answers.reduce((sum, { packets, detail }) => {
    const rounds = Array.isArray(detail.rounds) ? detail.rounds.length : 0;
    return sum + Math.max(0, packets - 1 - rounds);
  }, 0);

const evidenceOf = (
  observation: Observation,
  standing: Standing,
  listening: boolean | null,
  answers: readonly Answer[],
  failures: readonly Failed[],
): Evidence => {
  const first = answers[0];
  const attestation = first?.attestation;
  return {
    ...(observation.notRun && { notRun: observation.notRun }),
    ...(first && { answer: first.detail }),
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
    ...(Object.keys(observation.refused).length > 0 && { refused: observation.refused }),
    ...(listening === false && { listening }),
    ...(standing.role === 'reflector' &&
      observation.check.probe === 'esp-in-udp' &&
      answers.length === 0 && { smallEspPasses: standing.smallEspPorts?.has(observation.check.port) ?? false }),
    ...(observation.check.probe === 'ike-sa-init' &&
      answers.length > 0 && { retransmissions: retransmissionsOf(answers) }),
    ...(standing.role === 'reflector' &&
      answers.length === 0 &&
      observation.check.transport === 'udp' && {
        otherBytesPass: standing.openUdpPorts.has(observation.check.port),
      }),
  };
};

/** Classifies one observation. Deterministic: same facts, same verdict. */
export const classify = (observation: Observation, standing: Standing, circumstances: Circumstances): Classified =>
  classifyPlainly(observation, standing.role === 'reflector', listensOn(standing.listens, observation.check)) ??
  classifyFully(observation, standing, circumstances);

const classifyFully = (observation: Observation, standing: Standing, circumstances: Circumstances): Classified => {
  const { check, attempts, notRun } = observation;
  const answers = attempts.filter((attempt) => attempt.outcome === 'answer');
  const failures = attempts.filter((attempt) => attempt.outcome === 'error');
  const sent = attempts.reduce((sum, attempt) => sum + attempt.packets, 0);
  const received = answers.reduce((sum, answer) => sum + answer.answers, 0);
  const listening = listensOn(standing.listens, check);

  const apparent = ((): Finding => {
    if (notRun) return unknown(NOT_RUN_REASON[notRun]);
    if (answers.length > 0) return classifyAnswers(check, answers, sent, received, standing, circumstances);
    if (standing.role === 'reflector' && listening === false) return unknown('not-run');
    if (foreignCertificate(attempts, standing)) return { verdict: 'altered', reason: 'tls-intercepted' };
    return (
      classifyFailures(failures, standing, listening) ??
      classifySilence(sent, observation.seen, standing, listening, openedSilently(attempts), check, circumstances)
    );
  })();
  const finding = isWithheld(apparent, observation, sent - received, standing) ? unknown('limited') : apparent;

  return {
    ...finding,
    check,
    confidence: confidenceOf(finding, observation.seen || sent, answers, circumstances),
    sent,
    seen: observation.seen,
    received,
    rttMs: summarise(answers),
    evidence: evidenceOf(observation, standing, listening, answers, failures),
  };
};

/** A third party's answer carries no proof; what forges it must have seen the request and be in its way. */
const UNPROVEN_ANSWER = 0.999;

const confidenceOf = (
  finding: Finding,
  sent: number,
  answers: readonly Answer[],
  { lossUpperBound }: Circumstances,
): number => {
  if (answers.length > 0) return answers.every(({ authentic }) => authentic === true) ? 1 : UNPROVEN_ANSWER;
  // These rest on what somebody said or showed, and not on how long the silence was.
  if (finding.reason === 'rejected' || finding.reason === 'closed' || finding.verdict === 'altered') {
    return UNPROVEN_ANSWER;
  }
  if (sent === 0) return 0;
  return Math.round((1 - doubtOfSilence(sent, lossUpperBound)) * 1e6) / 1e6;
};

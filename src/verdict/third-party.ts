/**
 * What somebody else's server did instead of answering, and what its answers prove. It owes us nothing: it may limit, refuse
 * and speak oddly, and none of that is the path's fault.
 */
import type { Attempt, Failure, Observation } from '../model/observation.js';
import type { Finding } from '../model/verdict.js';
import { lossLowerBound } from './silence.js';

type Failed = Extract<Attempt, { outcome: 'error' }>;

/** How a conversation ends that the far end began: something listens there. */
const HUNG_UP: ReadonlySet<Failure> = new Set<Failure>(['tls-failed', 'closed-early']);
/** The network says that the host is not there; firewalls that reject may say it in its name. */
const NOT_THERE: ReadonlySet<Failure> = new Set<Failure>(['host-unreachable', 'net-unreachable']);

const unknown = (reason: Extract<Finding, { verdict: 'unknown' }>['reason']): Finding => ({
  verdict: 'unknown',
  reason,
});

/** Something came from the very place that was asked, and was no answer. */
export const hasSpoken = ({ unreadable = {}, refused }: Observation): boolean =>
  Object.keys(unreadable).length > 0 || Object.keys(refused).length > 0;

/** The same, and it was meant as an answer. A proof that does not hold is a token's matter, and has words of its own. */
export const isUnreadable = (observation: Observation): boolean => {
  const refused = Object.keys(observation.refused);
  return refused.length > 0 ? refused.some((why) => why !== 'bad-proof') : hasSpoken(observation);
};

/** The far end opened a connection, or began to speak TLS, and then thought better of it. */
const hungUp = (failures: readonly Failed[]): boolean =>
  failures.some(({ failure, opened }) => HUNG_UP.has(failure) || (failure === 'reset' && opened !== null));

/**
 * What a refusal means where nobody is known to listen. A host of which nothing else answers is not there; where something
 * does, a firewall said so in its name.
 */
export const refusal = (failures: readonly Failed[], isAlive: boolean): Finding => {
  if (hungUp(failures)) return unknown('tls-refused');
  const isAbsent = failures.every(({ failure }) => NOT_THERE.has(failure));
  return unknown(isAbsent && !isAlive ? 'target-unreachable' : 'closed');
};

/** One observation as its transactions: each may have been sent several times, and is answered or not (RFC 3261 §17.1). */
const transactionsOf = (observations: readonly Observation[]) => {
  const attempts = observations.flatMap((one) => one.attempts);
  return { trials: attempts.length, answers: attempts.filter(({ outcome }) => outcome === 'answer').length };
};

/**
 * Whether the line loses what goes to this address. A server that leaves requests unanswered limits them (pike, fail2ban, an
 * SBC); only where several protocols that have nothing to do with each other suffer alike is it the line.
 */
export const lineLoses = (observations: readonly Observation[], lossRatio: number): boolean => {
  const kinds = new Set(observations.map(({ check }) => check.probe));
  const suffering = [...kinds].filter((kind) => {
    const own = transactionsOf(observations.filter(({ check }) => check.probe === kind && check.transport === 'udp'));
    return own.answers > 0 && lossLowerBound(own) > lossRatio;
  });
  return suffering.length >= 2;
};

const connectMsOf = (attempt: Attempt): number | null => {
  const shown = attempt.outcome === 'answer' ? attempt.detail : attempt.opened;
  const ms = shown?.connectMs;
  return typeof ms === 'number' ? ms : null;
};

/** By protocol and transport, the shortest round trip; TCP's own handshake is one more, and no server's doing. */
const shortestByWay = (observations: readonly Observation[]): ReadonlyMap<string, number> => {
  const shortest = new Map<string, number>();
  const learn = (way: string, ms: number | null): void => {
    if (ms !== null) shortest.set(way, Math.min(ms, shortest.get(way) ?? Number.POSITIVE_INFINITY));
  };
  for (const { check, attempts } of observations) {
    for (const attempt of attempts) {
      learn('tcp handshake', connectMsOf(attempt));
      if (attempt.outcome === 'answer') learn(`${check.probe}/${check.transport}`, attempt.rttMs);
    }
  }
  return shortest;
};

/**
 * Whether the way is long, and not the server slow: TCP's handshake says so, or else every one of several protocols takes
 * as long.
 */
export const isWayLong = (observations: readonly Observation[], rttMs: number): boolean => {
  const shortest = shortestByWay(observations);
  const handshake = shortest.get('tcp handshake');
  if (handshake !== undefined) return handshake > rttMs;
  return shortest.size >= 2 && [...shortest.values()].every((ms) => ms > rttMs);
};

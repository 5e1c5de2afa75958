/** From idle flows to binding lifetimes: between the longest silence that was survived and the shortest that was not. */
import type { Transport } from '../../model/kinds.js';
import { type Idle, type LifetimeFacts, NAT_T_KEEPALIVE_SECONDS } from '../../model/study-facts.js';
import { doubtOfSilence, lossUpperBound, packetsNeeded, SINGLE_CHECK_DOUBT } from '../silence.js';
import type { Judge, StudyCheck } from './study-check.js';

interface BindingLifetime {
  readonly port: number;
  readonly transport: Transport;
  /** Packets had gone both ways before. */
  readonly bidirectional: boolean;
  readonly atLeastSeconds: number;
  /** Null where no end was found within the time that was asked. */
  readonly belowSeconds: number | null;
  /** The longest pause between keepalives that leaves room for one that is late; null where even the shortest was too long. */
  readonly keepaliveSeconds: number | null;
}

/** RFC 5626 §4.4.1 lets a keepalive come at 80 to 100 % of its interval; a lifetime needs the same room. */
const KEEPALIVE_PART = 0.8;

const keepaliveFor = (atLeastSeconds: number): number | null =>
  atLeastSeconds === 0 ? null : Math.max(1, Math.floor(KEEPALIVE_PART * atLeastSeconds));

const keyOf = ({ transport, port, bidirectional }: Idle): string => `${transport}/${port}/${bidirectional}`;

const sumOfSeen = (all: readonly Idle[]): number => all.reduce((sum, { seen }) => sum + (seen ?? 0), 0);

/** The first of the silent by which so many answers are missing as loss does not explain. */
const boundOf = (silent: readonly Idle[], upperBound: number | null): number | null => {
  // A connection repeats what is lost, so its silence is nobody's but the path's.
  if (silent[0] && silent[0].transport !== 'udp') return silent[0].afterMs;
  const needed = packetsNeeded(upperBound, SINGLE_CHECK_DOUBT);
  let missing = 0;
  for (const { afterMs, seen } of silent) {
    missing += seen ?? 0;
    if (missing >= needed) return afterMs;
  }
  return null;
};

/**
 * An answer that came is proof. One that did not may have been lost, so as many must be missing as the path's loss does
 * not explain, and the last of these is the bound. A request that never arrived says nothing.
 */
const judgeSeries = (series: readonly Idle[], upperBound: number | null): BindingLifetime | null => {
  const [first] = series;
  const told = series.filter(({ answered, seen }) => answered || (seen ?? 0) > 0);
  if (!first || told.length === 0) return null;
  const longest = Math.max(0, ...told.filter(({ answered }) => answered).map(({ afterMs }) => afterMs));
  const silent = told
    .filter(({ answered, afterMs }) => !answered && afterMs > longest)
    .sort((a, b) => a.afterMs - b.afterMs);
  const bound = boundOf(silent, upperBound);
  const atLeastSeconds = Math.floor(longest / 1000);
  return {
    port: first.port,
    transport: first.transport,
    bidirectional: first.bidirectional,
    atLeastSeconds,
    belowSeconds: bound === null ? null : Math.ceil(bound / 1000),
    keepaliveSeconds: keepaliveFor(atLeastSeconds),
  };
};

/** One entry for each port and kind of traffic that was asked. */
export const judgeLifetimes = (all: readonly Idle[], upperBound: number | null): readonly BindingLifetime[] => {
  const idle = all.filter(({ kept }) => !kept);
  return [...new Set(idle.map(keyOf))].flatMap(
    (key) =>
      judgeSeries(
        idle.filter((one) => keyOf(one) === key),
        upperBound,
      ) ?? [],
  );
};

/**
 * Does a tunnel's mapping live from one keepalive to the next (RFC 3948 §4)? One line of the report for IPsec's port:
 * `blocked` where what comes in before the next keepalive is dropped, which is how incoming calls are lost.
 */
export const judgeKeepalives = (all: readonly Idle[], upperBound: number | null): readonly StudyCheck[] => {
  const kept = all.filter((one) => one.kept);
  const [first] = kept;
  if (!first) return [];
  const own = all.filter((one) => one.transport === 'udp' && one.port === first.port && one.address === first.address);
  const lifetimes = judgeLifetimes(own, upperBound);
  // A tunnel converses before it falls silent; only where that was not heard of does the other kind speak for it.
  const lifetime = lifetimes.find(({ bidirectional }) => bidirectional) ?? lifetimes[0] ?? null;
  const isAnswered = kept.some(({ answered }) => answered);
  const keptDoubt = doubtOfSilence(sumOfSeen(kept), upperBound);
  const isShort =
    lifetime !== null && lifetime.belowSeconds !== null && lifetime.belowSeconds <= NAT_T_KEEPALIVE_SECONDS + 1;
  const isLost = !isAnswered && (isShort || keptDoubt <= SINGLE_CHECK_DOUBT);
  const check: StudyCheck = {
    probe: 'nat-behavior',
    transport: 'udp',
    port: first.port,
    address: first.address,
    family: first.family,
    finding: isAnswered
      ? { verdict: 'pass', reason: 'answered' }
      : isLost
        ? { verdict: 'blocked', reason: 'dropped-inbound' }
        : { verdict: 'unknown', reason: 'no-answer' },
    confidence: isAnswered ? 1 : isLost ? 1 - (isShort ? SINGLE_CHECK_DOUBT : keptDoubt) : 0,
    sent: kept.length,
    seen: kept.every(({ seen }) => seen !== null) ? sumOfSeen(kept) : null,
    received: kept.filter(({ answered }) => answered).length,
    evidence: {
      keepaliveSeconds: NAT_T_KEEPALIVE_SECONDS,
      survivesKeepaliveInterval: isAnswered ? true : isLost ? false : null,
      mappingAtLeastSeconds: lifetime?.atLeastSeconds ?? null,
      mappingBelowSeconds: lifetime?.belowSeconds ?? null,
    },
  };
  return [check];
};

/** Idle flows conversed before: many more questions over the same path than all checks together. */
export const judge: Judge<LifetimeFacts> = (facts, loss) => {
  const idle = facts.flatMap((one) => one.idle);
  const bound = lossUpperBound({
    trials: facts.reduce((sum, { talk }) => sum + talk.trials, loss.trials),
    answers: facts.reduce((sum, { talk }) => sum + talk.answers, loss.answers),
  });
  return {
    checks: judgeKeepalives(idle, bound),
    nat: { bindingLifetime: judgeLifetimes(idle, bound).map((one) => ({ ...one })) },
  };
};

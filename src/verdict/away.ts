/**
 * A far end of which again and again nothing came for a while: how often, for how much of the time, and whether that is shown to
 * be a guard that shuts this host out. Pure.
 */
import type { FarEndFacts, Recurrence, Silence } from '../model/far-end.js';
import type { Finding } from '../model/verdict.js';
import { flowsDie, holdsFirst, lostAtFirst } from './flows.js';
import { isOutage } from './silence.js';

/** Once or twice is an outage, which is told by itself. */
const AGAIN = 3;
/** Away for less of the time it is no worse than a line that loses as calls bear. */
const NOTABLE_SHARE = 0.05;

/** So unlikely by loss alone is each of them; several of them are less likely by far. */
const PAUSE_DOUBT = 1e-3;

/** So many silences are needed to tell what they have in common. */
const MANY = 4;
/** Flows between two silences of a guard are about as many each time, and enough to be what it counts. */
const ALIKE_RATIO = 1.25;
const LEAST_FLOWS = 10;

const lengthOf = ({ fromMs, toMs }: Silence): number => (toMs ?? fromMs) - fromMs;

/** Those over UDP that came to an end. */
const endedOf = (silences: readonly Silence[]): readonly Silence[] =>
  silences.filter(({ toMs, what }) => toMs !== null && what !== 'tcp');

const areAlike = (values: readonly number[]): boolean => Math.max(...values) <= ALIKE_RATIO * Math.min(...values);

/**
 * Whether each silence began after about the same number of new flows, and not after the same time: then something counts them.
 * A line that comes and goes knows nothing of flows.
 */
export const isGuard = (silences: readonly Silence[]): boolean => {
  const ended = endedOf(silences);
  if (ended.length < MANY) return false;
  const between = (of: (one: Silence) => number): readonly number[] =>
    ended.slice(1).map((one, index) => of(one) - of(ended[index] ?? one));
  const flows = between((one) => one.flows);
  return Math.min(...flows) >= LEAST_FLOWS && areAlike(flows) && !areAlike(between(({ fromMs }) => fromMs));
};

/** A guard shuts a host out for a fixed time; what a line that flaps takes differs by more than this from time to time. */
const SAME_LENGTH_RATIO = 0.05;
const SAME_LENGTH_MS = 250;
/** Shorter ones are bursts of loss, which are alike by chance; not so many of them. */
const GUARD_LEAST_MS = 3000;
const NO_CHANCE = 6;

/** Whether it was silent for the same time again and again, as where something shuts a host out and lets it in again. */
export const endsAlike = (silences: readonly Silence[]): boolean => {
  const all = endedOf(silences)
    .map(lengthOf)
    .sort((a, b) => a - b);
  // The end of one may have been noticed late.
  const lengths = all.length < MANY ? all : all.slice(0, -1);
  const longest = lengths.at(-1) ?? 0;
  const shortest = lengths[0] ?? 0;
  return (
    lengths.length > 1 &&
    (shortest >= GUARD_LEAST_MS || all.length >= NO_CHANCE) &&
    longest - shortest <= SAME_LENGTH_MS + longest * SAME_LENGTH_RATIO
  );
};

/** A line that comes back stays for longer than this. */
const LEAST_BETWEEN_MS = 1000;

/** Whether about the same time lay between each two: a clock's doing, and no count's. */
const beginsByClock = (silences: readonly Silence[]): boolean => {
  const ended = endedOf(silences);
  if (ended.length < MANY) return false;
  const between = ended.slice(1).map(({ fromMs }, index) => fromMs - (ended[index]?.toMs ?? 0));
  return Math.min(...between) >= LEAST_BETWEEN_MS && areAlike(between);
};

/** What it is the doing of. A line that comes and goes is told by lengths that differ, or by its rhythm, once there are enough of them. */
const doneBy = (silences: readonly Silence[]): Recurrence['by'] => {
  if (isGuard(silences)) return 'guard';
  return endsAlike(silences) && !beginsByClock(silences) ? null : 'line';
};

/**
 * Null where it was away too seldom, too shortly, or where flows or ports explain it. @param lossUpperBound the path's
 */
export const recurrenceOf = (
  {
    pauses = [],
    aliveOverUdp,
    flows,
    limit,
    isForgetful,
    silences,
  }: Pick<FarEndFacts, 'pauses' | 'aliveOverUdp' | 'flows' | 'limit' | 'isForgetful' | 'silences'>,
  lossUpperBound: number | null,
): Recurrence | null => {
  // What the line was watched over may have been a flow that dies, or one too many.
  if (limit !== null || isForgetful || flowsDie(flows) || holdsFirst(flows) || lostAtFirst(flows) > 0) return null;
  const own = pauses.filter((one) => (one.places ?? 0) > 1 && isOutage(one, lossUpperBound, PAUSE_DOUBT));
  const first = aliveOverUdp[0]?.[0] ?? 0;
  const watchedMs = (aliveOverUdp.at(-1)?.[1] ?? 0) - first;
  const awayMs = own.reduce((sum, one) => sum + lengthOf(one), 0);
  const share = watchedMs > 0 ? awayMs / watchedMs : 0;
  if (own.length < AGAIN || share < NOTABLE_SHARE) return null;
  const lengths = own.map(lengthOf).sort((a, b) => a - b);
  return {
    count: own.length,
    usualMs: lengths[lengths.length >> 1] ?? 0,
    share: Math.min(1, share),
    fromMs: Math.min(...own.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...own.map(({ toMs }) => toMs ?? 0)),
    isOfAll: own.filter(({ what }) => what === 'everything').length * 2 > own.length,
    by: doneBy(silences),
  };
};

/** What it makes of a port that passes in between. */
export const ofRecurrence = ({ by }: Recurrence): Finding =>
  by === 'line' ? { verdict: 'degraded', reason: 'loss' } : { verdict: 'unknown', reason: 'cut-off' };

/** The same where it is about these checks: connections are cut off with all the rest, or not at all. */
export const recurrenceFor = (recurrence: Recurrence | null | undefined, isUdp: boolean): Recurrence | null =>
  recurrence && (isUdp || recurrence.isOfAll) ? recurrence : null;

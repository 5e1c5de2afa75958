/**
 * The path as a whole: what it loses, how long it is, and between which addresses it leads. What twenty checks show of the
 * same loss is one thing; and what is measured needs more than one number to have changed. Pure.
 */
import type { Report } from '../../model/report.js';
import { prefixOf } from './network.js';
import type { State } from './state.js';

/** One thing of the path, as a look shows it. */
interface PathSighting {
  readonly id: 'loss' | 'round-trip' | 'jitter';
  readonly state: State;
  readonly alike?: (known: readonly State[]) => State;
  readonly evidence: Readonly<Record<string, unknown>>;
}

const OF_LOSS = new Set(['loss']);
const OF_LENGTH = new Set(['latency']);
const OF_JITTER = new Set(['jitter', 'reordered']);

interface Found {
  readonly verdict: string;
  readonly reason: string;
}

/** Degraded by what the whole path does: nothing of the one port. */
export const isOfPath = ({ verdict, reason }: Found): boolean =>
  verdict === 'degraded' && (OF_LOSS.has(reason) || OF_LENGTH.has(reason) || OF_JITTER.has(reason));

/** A loss is told where it may be above this, and gone where it is surely below that: between them what was told stands. */
const LOSS_ABOVE = 0.06;
const LOSS_GONE = 0.03;
/** One lost of n bounds the loss to this over n (at 95 %): of few packets no bound is lower. */
const BOUND_OF_ONE = 4.75;

/** A way is another one where it is longer or shorter by half, and by more than a busy host adds. */
const LENGTH_RATIO = 1.5;
const LENGTH_MS = 10;

/** Whether this host's own lateness could make another way of this one, in milliseconds of its shortest round trip. */
const isTooBusy = ({ agent: { usualDelayMs } }: Report, ms: number): boolean =>
  (usualDelayMs ?? 0) > Math.max(LENGTH_MS, ms * (LENGTH_RATIO - 1));

/** What it shows on; a report has hundreds. */
const MAX_SHOWN = 20;

const degradedBy = (report: Report, reasons: ReadonlySet<string>): readonly string[] => [
  ...new Set(
    [...report.checks, ...report.ranges]
      .filter(({ verdict, reason }) => verdict === 'degraded' && reasons.has(reason))
      .map(({ id }) => id),
  ),
];

/** Services that it leaves less than working. */
const affected = ({ services }: Report): readonly string[] =>
  services.filter(({ verdict }) => verdict === 'degraded').map(({ profile }) => profile);

const lossOf = (report: Report): readonly PathSighting[] => {
  const { lossUpperBound } = report.network;
  // What was sent while the line was away is lost for another reason.
  if (lossUpperBound === null || (report.outages ?? []).length > 0) return [];
  const where = degradedBy(report, OF_LOSS);
  const evidence = { lossUpperBound, where: where.slice(0, MAX_SHOWN), affects: affected(report) };
  const clean: State = { key: 'clean', verdict: 'pass', reason: null, figure: lossUpperBound };
  const lossy: State = { key: 'lossy', verdict: 'degraded', reason: 'loss', figure: lossUpperBound };
  if (where.length > 0 && lossUpperBound > LOSS_ABOVE) return [{ id: 'loss', state: lossy, evidence }];
  const few = BOUND_OF_ONE / Math.max(1, report.totals.packetsReceived);
  const isGone = where.length === 0 && lossUpperBound <= Math.max(LOSS_GONE, few);
  if (isGone) return [{ id: 'loss', state: clean, evidence }];
  return [{ id: 'loss', state: clean, alike: ([believed]) => believed ?? clean, evidence }];
};

const isSameWay = (one: number, other: number): boolean =>
  Math.abs(one - other) <= LENGTH_MS || Math.max(one, other) <= LENGTH_RATIO * Math.min(one, other);

/** The shortest round trip of all: what a busy moment adds is not in it. */
const lengthOf = (report: Report): readonly PathSighting[] => {
  const shortest = report.checks.flatMap(({ verdict, rttMs }) =>
    (verdict === 'pass' || verdict === 'degraded') && rttMs !== null ? [rttMs.min] : [],
  );
  if (shortest.length === 0) return [];
  const ms = Math.min(...shortest);
  if (isTooBusy(report, ms)) return [];
  const where = degradedBy(report, OF_LENGTH);
  const own: State = {
    key: `${Math.round(ms)} ms`,
    ...(where.length > 0 ? { verdict: 'degraded', reason: 'latency' } : { verdict: 'pass', reason: null }),
    figure: ms,
  };
  const evidence = { shortestMs: ms, where: where.slice(0, MAX_SHOWN), affects: affected(report) };
  const alike = (known: readonly State[]): State => {
    const same = known.find(({ figure }) => figure !== undefined && isSameWay(figure, ms));
    return same ? { ...own, key: same.key } : own;
  };
  return [{ id: 'round-trip', state: own, alike, evidence }];
};

const jitterOf = (report: Report): readonly PathSighting[] => {
  if ((report.outages ?? []).length > 0 || report.network.lossUpperBound === null) return [];
  const where = degradedBy(report, OF_JITTER);
  const state: State =
    where.length > 0
      ? { key: 'degraded', verdict: 'degraded', reason: 'jitter' }
      : { key: 'pass', verdict: 'pass', reason: null };
  return [{ id: 'jitter', state, evidence: { where: where.slice(0, MAX_SHOWN), affects: affected(report) } }];
};

/** What a report says of the path. */
export const pathOf = (report: Report): readonly PathSighting[] => [
  ...lossOf(report),
  ...lengthOf(report),
  ...jitterOf(report),
];

const sorted = (texts: Iterable<string>): readonly string[] => [...new Set(texts)].sort();

interface Addresses {
  /** From which addresses the far end sees this host, in order; null where it did not say. */
  readonly outer: string | null;
  /** Where each name leads. A name with several addresses that take turns is where it was as long as one is the same. */
  readonly names: readonly {
    readonly host: string;
    readonly is: State;
    readonly alike: (known: readonly State[]) => State;
  }[];
}

/** A temporary IPv6 address changes daily (RFC 8981); its prefix is what a line is known by. */
const placeOf = (address: string): string => (address.includes(':') ? prefixOf(address) : address);

/** Between which addresses the path leads. */
export const addressesOf = ({ network, target, reflectors }: Report): Addresses => {
  const outer = sorted(network.mappedAddresses.map(placeOf));
  const hosts = new Map([target, ...reflectors].map(({ host, addresses }) => [host, sorted(addresses)]));
  return {
    outer: outer.length === 0 ? null : outer.join(' '),
    names: [...hosts].flatMap(([host, addresses]) => {
      // An address that was given as such leads nowhere else.
      if (addresses.length === 0 || addresses.includes(host)) return [];
      const text = addresses.join(' ');
      const is: State = { key: text, verdict: text, reason: null };
      const overlaps = ({ key }: State): boolean => key.split(' ').some((one) => addresses.includes(one));
      return [{ host, is, alike: (known: readonly State[]) => known.find(overlaps) ?? is }];
    }),
  };
};

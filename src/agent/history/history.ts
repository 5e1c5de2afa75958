/** The agent's memory of the last month, for the status page: bounded, filled from the spool after a restart. */
import type { Report } from '../../model/report.js';
import { headlineOf, type Tone } from '../../report/story.js';
import { looksOf, type SeriesKind } from './looks.js';
import { createSeries, type Origin, type Series } from './series.js';

/** A run of one kind asks the same as the last one: samples each minute, whole ranges now and then. */
export type ResultLane = 'light' | 'full';

/** One result, as a list shows it. */
export interface ResultLine {
  readonly id: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly lane: ResultLane;
  readonly answer: string;
  readonly tone: Tone;
  readonly durationMs: number;
}

export interface NamedSeries {
  readonly kind: SeriesKind;
  readonly id: string;
  readonly series: Series;
}

export interface History {
  /** Takes a report into account. An older one, from the spool, pushes nothing newer out. */
  note(target: string, lane: ResultLane, report: Report, origin: Origin): void;
  series(target: string): readonly NamedSeries[];
  latest(target: string, lane: ResultLane): Report | null;
  /** Newest first. */
  results(target: string): readonly ResultLine[];
  /** Where the spool's reading stands; `cut`: there is more than is read at a start. */
  filled: 'reading' | 'whole' | 'cut';
}

/** With round trips 15 KB each, and 27 with audio, which few have: some 9 MB at most, an eighth of what an agent may take. */
const MAX_SERIES = 600;
/** Five hours of light runs, or a fortnight of sweeps; of each kind of run. */
const MAX_RESULTS = 300;

/**
 * So long it was not looked at: longer than a nightly run pauses. Where there are more things than room, one that made room for
 * the next would make room for all, and none of them had a past.
 */
const STALE_MS = 26 * 3_600_000;

/** Availability is told of targets and services; checks and ranges are in each report as well. */
const isDetail = (kind: SeriesKind): boolean => kind === 'check' || kind === 'range';

interface TargetHistory {
  readonly latest: Map<ResultLane, Report>;
  readonly results: Readonly<Record<ResultLane, ResultLine[]>>;
}

const newTarget = (): TargetHistory => ({ latest: new Map(), results: { light: [], full: [] } });

/** Empty, for these targets; what belongs to others is not kept. */
export const createHistory = (targets: readonly string[], maxSeries = MAX_SERIES): History => {
  const histories = new Map(targets.map((target) => [target, newTarget()]));
  /** By when they were last noted live, the longest ago first. */
  const all = new Map<string, NamedSeries & { readonly target: string; notedAt: number }>();

  /** Makes room: of what was long not looked at, or of a detail where the new one is none. */
  const makeRoom = (kind: SeriesKind, at: number, origin: Origin): boolean => {
    for (const [key, one] of all) {
      const isStale = origin === 'live' && Math.abs(at - one.notedAt) > STALE_MS;
      if (isStale || (isDetail(one.kind) && !isDetail(kind))) return all.delete(key);
    }
    return false;
  };

  const seriesFor = (target: string, { kind, id }: { kind: SeriesKind; id: string }, at: number, origin: Origin) => {
    const key = JSON.stringify([target, kind, id]);
    const known = all.get(key);
    if (known) {
      if (origin === 'live') {
        known.notedAt = at;
        all.delete(key);
        all.set(key, known);
      }
      return known.series;
    }
    if (all.size >= maxSeries && !makeRoom(kind, at, origin)) return null;
    const series = createSeries();
    all.set(key, { target, kind, id, series, notedAt: at });
    return series;
  };

  const noteResult = (results: ResultLine[], line: ResultLine, origin: Origin): void => {
    if (origin === 'live') results.unshift(line);
    else if (results.length < MAX_RESULTS) results.push(line);
    results.length = Math.min(results.length, MAX_RESULTS);
  };

  return {
    note: (target, lane, report, origin) => {
      const history = histories.get(target);
      const at = Date.parse(report.startedAt);
      if (!history || Number.isNaN(at)) return;
      const { answer, tone } = headlineOf(report);
      const { id, durationMs } = report;
      noteResult(history.results[lane], { id, at, lane, answer, tone, durationMs }, origin);
      if (origin === 'live' || !history.latest.has(lane)) history.latest.set(lane, report);
      for (const { kind, id: of, look } of looksOf(report))
        seriesFor(target, { kind, id: of }, at, origin)?.note(at, look, origin);
    },
    series: (target) => [...all.values()].filter((one) => one.target === target),
    latest: (target, lane) => histories.get(target)?.latest.get(lane) ?? null,
    results: (target) => {
      const { light = [], full = [] } = histories.get(target)?.results ?? {};
      return [...light, ...full].sort((a, b) => b.at - a.at);
    },
    filled: 'reading',
  };
};

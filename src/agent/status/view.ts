/** What the pages read of a running agent, and what is to be said of a target at this moment. */
import type { Report } from '../../model/report.js';
import { type Headline, headlineOf, type Tone } from '../../report/story.js';
import { lastResult, NOT_MEASURED_YET } from '../../words/pages.js';
import type { DaemonState } from '../daemon.js';
import type { History, NamedSeries, ResultLane } from '../history/history.js';
import type { Bucket, Span } from '../history/series.js';
import { staleAfterMs } from '../stale.js';
import { agoInWords } from './frame.js';

export interface StatusView {
  readonly state: DaemonState;
  readonly history: History;
  /** The configured targets, in the configuration's order. */
  readonly targets: readonly string[];
  readonly now: () => { readonly wall: number; readonly monotonic: number };
}

export const LANE_WORDS: Readonly<Record<ResultLane, string>> = { light: 'sample', full: 'sweep' };

interface LaneState {
  readonly headline: Headline;
  /** The report that the headline is of; null before the first. */
  readonly report: Report | null;
  readonly lane: ResultLane;
  readonly at: number;
  readonly stale: boolean;
}

const staleAfter = ({ state }: StatusView, target: string, lane: ResultLane): number =>
  staleAfterMs(
    [...state.jobs.values()].filter((job) => job.target === target),
    lane,
  );

const GOODNESS: readonly Tone[] = ['good', 'none', 'warn', 'bad'];

const NOTHING: Headline = {
  answer: 'NO RESULT YET',
  sentence: NOT_MEASURED_YET,
  tone: 'none',
};

/** The latest result of each kind of run. */
export const laneStatesOf = (view: StatusView, target: string): readonly LaneState[] => {
  const now = view.now().wall;
  return (['light', 'full'] as const).flatMap((lane): LaneState[] => {
    const report = view.history.latest(target, lane);
    if (report === null) return [];
    const at = Date.parse(report.startedAt);
    const stale = Math.abs(now - at) > staleAfter(view, target, lane);
    return [{ headline: headlineOf(report), report, lane, at, stale }];
  });
};

/** What is to be said now: the worst of what is recent. What is old is told as old, and never as an answer. */
export const laneStateOf = (view: StatusView, target: string): LaneState => {
  const all = laneStatesOf(view, target);
  const fresh = all.filter(({ stale }) => !stale);
  const [worst] = [...fresh].sort((a, b) => GOODNESS.indexOf(b.headline.tone) - GOODNESS.indexOf(a.headline.tone));
  if (worst) return worst;
  const [last] = [...all].sort((a, b) => b.at - a.at);
  if (!last) return { headline: NOTHING, report: null, lane: 'light', at: 0, stale: false };
  return {
    ...last,
    headline: {
      answer: 'NO CURRENT RESULT',
      sentence: lastResult(agoInWords(last.at, view.now().wall), last.headline.answer),
      tone: 'none',
    },
  };
};

/** A series of a target, read for a span. */
export interface Row extends NamedSeries {
  readonly buckets: readonly (Bucket | null)[];
}

export const rowsOf = (view: StatusView, target: string, span: Span): readonly Row[] =>
  view.history.series(target).map((one) => ({ ...one, buckets: one.series.read(span, view.now().wall) }));

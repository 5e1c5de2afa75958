/** The newest reports of each target, for exporters that show a state and not a history. */
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../model/report.js';
import { type Answer, answerOf } from '../../report/metrics.js';
import type { SpoolRecord } from './contract.js';

/** More targets than an agent has; a configuration that changes often must not grow it. */
const MAX_TARGETS = 500;

/** Runs of one lane ask the same each time: samples, or whole ranges. */
type Lane = 'light' | 'full';

/** Milliseconds after which a report of a target answers nothing any more; infinite where no interval says when. */
export type StaleAfter = (target: string, lane: Lane) => number;

/** What is shown of a target. */
interface Standing {
  readonly target: string;
  /** The newest of all. */
  readonly report: Report;
  /** The worst of the newest of each kind of run, as the status page has it. */
  readonly answer: Answer;
}

interface Latest {
  /** Takes the reports among the records; what is older than what is known changes nothing. */
  take(records: readonly SpoolRecord[]): void;
  /** All targets, as of a time (wall-clock milliseconds). */
  standings(wallMs: number): readonly Standing[];
  /** Takes a record, and says what stood of its target when it was made; null if it is no report. */
  standingWith(record: SpoolRecord): Standing | null;
}

/** The report of a record; null if it is another kind of record, or of another major version. */
export const reportOf = ({ kind, body }: SpoolRecord): Report | null =>
  kind === 'report' && v.is(ReportSchema, body) ? body : null;

interface Known {
  readonly at: string;
  readonly report: Report;
}

const laneOf = ({ run }: SpoolRecord): Lane => (run === undefined || run === 'light' ? 'light' : 'full');

const newestOf = (lanes: ReadonlyMap<Lane, Known>): Known | null =>
  [...lanes.values()].reduce<Known | null>((newest, one) => (newest && newest.at > one.at ? newest : one), null);

export const createLatest = (staleAfterMs: StaleAfter): Latest => {
  const latest = new Map<string, Map<Lane, Known>>();

  /** What is stale answers nothing, and neither does what was not known yet. */
  const freshOf = (target: string, wallMs: number): readonly Report[] =>
    [...(latest.get(target) ?? [])]
      .filter(([lane, { at }]) => Math.abs(wallMs - Date.parse(at)) <= staleAfterMs(target, lane))
      .map(([, { report }]) => report);

  const take = (records: readonly SpoolRecord[]): void => {
    for (const record of records) {
      const report = reportOf(record);
      const lanes = latest.get(record.target) ?? new Map<Lane, Known>();
      const known = lanes.get(laneOf(record));
      if (report === null || (known !== undefined && known.at > record.at)) continue;
      lanes.set(laneOf(record), { at: record.at, report });
      // Back to the end, so that the first is the one that was silent for longest.
      latest.delete(record.target);
      latest.set(record.target, lanes);
      const [oldest] = latest.keys();
      if (latest.size > MAX_TARGETS && oldest !== undefined) latest.delete(oldest);
    }
  };

  return {
    take,
    standings: (wallMs) =>
      [...latest]
        .flatMap(([target, lanes]): Standing[] => {
          const newest = newestOf(lanes);
          return newest === null
            ? []
            : [{ target, report: newest.report, answer: answerOf(newest.report, freshOf(target, wallMs)) }];
        })
        .sort((a, b) => (a.target < b.target ? -1 : 1)),
    standingWith: (record) => {
      const report = reportOf(record);
      if (report === null) return null;
      take([record]);
      // What came later was not known then: records of a week may wait.
      const others = [...(latest.get(record.target) ?? [])].filter(
        ([lane, { at }]) =>
          lane !== laneOf(record) &&
          at <= record.at &&
          Date.parse(record.at) - Date.parse(at) <= staleAfterMs(record.target, lane),
      );
      const { target } = record;
      return { target, report, answer: answerOf(report, [report, ...others.map(([, one]) => one.report)]) };
    },
  };
};

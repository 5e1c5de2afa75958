/** The newest report of each target, for exporters that show a state and not a history. */
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../model/report.js';
import type { SpoolRecord } from './contract.js';

/** More targets than an agent has; a configuration that changes often must not grow it. */
const MAX_TARGETS = 500;

interface Latest {
  /** Takes the reports among the records; what is older than what is known changes nothing. */
  take(records: readonly SpoolRecord[]): void;
  reports(): readonly { readonly target: string; readonly report: Report }[];
}

/** The report of a record; null if it is another kind of record, or of another major version. */
export const reportOf = ({ kind, body }: SpoolRecord): Report | null =>
  kind === 'report' && v.is(ReportSchema, body) ? body : null;

export const createLatest = (): Latest => {
  const latest = new Map<string, { readonly at: string; readonly report: Report }>();
  return {
    take: (records) => {
      for (const record of records) {
        const report = reportOf(record);
        const known = latest.get(record.target);
        if (report === null || (known !== undefined && known.at > record.at)) continue;
        // Back to the end, so that the first is the one that was silent for longest.
        latest.delete(record.target);
        latest.set(record.target, { at: record.at, report });
        const [oldest] = latest.keys();
        if (latest.size > MAX_TARGETS && oldest !== undefined) latest.delete(oldest);
      }
    },
    reports: () =>
      [...latest].map(([target, { report }]) => ({ target, report })).sort((a, b) => (a.target < b.target ? -1 : 1)),
  };
};

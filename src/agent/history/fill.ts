/** Fills the history from the spool after a restart, newest first, in small helpings beside the agent's work. */
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../model/report.js';
import type { SpoolRecord } from '../exporters/contract.js';
import { type Clock, pause } from '../schedule/clock.js';
import type { Spool } from '../spool/spool.js';
import type { History } from './history.js';
import { SPANS } from './series.js';

/** Some 10 ms of work at a time. */
const HELPING = 20;
/** The rest of the time is the agent's. */
const BETWEEN_HELPINGS_MS = 50;
/** More than a spool of the usual size holds; some minutes beside the agent's work, once after a start. */
const MAX_RECORDS = 200_000;
/** A run is stored when it ends; what lies further ahead was stored while the clock was wrong. */
const AHEAD_MS = 3_600_000;
const SPAN_MS = SPANS.month.bucketMs * SPANS.month.buckets;

/** A stored report, or null if it is none that this version can read. */
export const reportFrom = ({ kind, body }: Pick<SpoolRecord, 'kind' | 'body'>): Report | null => {
  if (kind !== 'report') return null;
  const parsed = v.safeParse(ReportSchema, body);
  return parsed.success ? parsed.output : null;
};

/** Resolves when it is filled, or when the signal fires. */
export const fillHistory = async (
  history: History,
  spool: Pick<Spool, 'walkBack'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  const oldest = clock.wall() - SPAN_MS;
  // Taken before anything is stored, so that nothing is counted twice.
  const walks = (['full', 'light'] as const).map((lane) => ({ lane, walk: spool.walkBack([lane], HELPING) }));
  for (const { lane, walk } of walks) {
    let left = MAX_RECORDS;
    for await (const records of walk) {
      if (signal.aborted) return;
      for (const record of records) {
        const at = Date.parse(record.at);
        if (at < oldest || at > clock.wall() + AHEAD_MS) continue;
        const report = reportFrom(record);
        if (report) history.note(record.target, lane, report, 'spool');
      }
      if (records.every(({ at }) => Date.parse(at) < oldest)) break;
      left -= records.length;
      if (left <= 0) {
        history.filled = 'cut';
        break;
      }
      await pause(clock, BETWEEN_HELPINGS_MS, signal);
    }
  }
  if (history.filled === 'reading') history.filled = 'whole';
};

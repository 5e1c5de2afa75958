/** Random outages, each in a network of its own, and what the product says of them. */
import pLimit from 'p-limit';
import type { Report } from '../../../src/model/report.js';
import { runScenario } from '../run.js';
import { describe, drawOutage, falselyBlocked } from './outages.js';

interface OutagesOptions {
  readonly runs: number;
  readonly seed: number;
  /** Networks side by side. */
  readonly jobs: number;
  readonly onRun: (line: string) => void;
}

interface OutagesResult {
  /** `seed …: …`, one line each. */
  readonly wrong: readonly string[];
  /** Runs without a report. */
  readonly failed: readonly string[];
  /** Runs that told an outage. */
  readonly told: number;
}

/** Draws networks from `seed` on, `seed + 1` and so forth, and asks the product about each. */
export const runOutages = async ({ runs, seed, jobs, onRun }: OutagesOptions): Promise<OutagesResult> => {
  const limit = pLimit(Math.max(1, jobs));
  const one = async (index: number): Promise<OutagesResult> => {
    const drawn = drawOutage(seed + index);
    const reports: Report[] = [];
    const { mismatches } = await runScenario(drawn.scenario, {
      ...{ verifyRules: false, keep: false, pcap: null, logs: null, fix: null },
      onReport: (report) => reports.push(report),
    });
    const name = describe(drawn);
    const [report] = reports;
    if (!report) {
      onRun(`${name}: no report`);
      return { wrong: [], failed: [`${name}: ${mismatches.join('; ')}`], told: 0 };
    }
    const outages = (report as { readonly outages?: unknown }).outages;
    const told = Array.isArray(outages) && outages.length > 0 ? 1 : 0;
    const wrong = falselyBlocked(report).map((line) => `${name}: ${line}`);
    const seconds = (report.durationMs / 1000).toFixed(1);
    onRun(`${name}: ${seconds} s, ${told ? 'told' : 'not told'}, ${wrong.length} falsely blocked`);
    return { wrong, failed: [], told };
  };
  const all = await Promise.all(Array.from({ length: runs }, (_, index) => limit(() => one(index))));
  return {
    wrong: all.flatMap(({ wrong }) => wrong),
    failed: all.flatMap(({ failed }) => failed),
    told: all.reduce((sum, { told }) => sum + told, 0),
  };
};

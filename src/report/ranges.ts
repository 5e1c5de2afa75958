/** The report's `ranges`: one entry for each run of equal verdict; together they cover what was asked, exactly once. */
import type { ReportRange } from '../model/report.js';
import type { ClassifiedRange } from '../verdict/ranges.js';

export const rangeRows = (ranges: readonly ClassifiedRange[]): ReportRange[] =>
  ranges.flatMap(({ range, runs }) =>
    runs.map((run) => ({
      id: range.id,
      probe: range.probe,
      transport: range.transport,
      address: range.address,
      from: run.from,
      to: run.to,
      step: run.step,
      verdict: run.verdict,
      reason: run.reason,
      tested: run.tested,
      confidence: run.confidence,
    })),
  );

/**
 * `/probe?target=…&module=…`, as blackbox_exporter has it: a scrape runs the target and gets its metrics. Prometheus
 * decides when, so only what the configuration names can be asked, and only so many at once.
 */
import pLimit from 'p-limit';
import type { Report } from '../../model/report.js';
import { exitCode } from '../../report/exit-code.js';
import type { Labels } from '../../report/metrics.js';
import { renderFamily, renderTargets } from '../../report/prometheus.js';
import { renderTable } from '../../report/table.js';

/** Runs one target now. Rejects if it cannot run; what the network does is in the report. */
export interface ProbeRunner {
  /** Names that may be asked. */
  readonly targets: readonly string[];
  /** Names of profiles that may be asked; what the target is configured with if none is named. */
  readonly modules: readonly string[];
  /** Why nothing can be run now; null where it can. */
  whyNot(): string | null;
  /** @param timeoutMs the scraper waits no longer than this */
  run(target: string, module: string | null, timeoutMs: number, signal: AbortSignal): Promise<Report>;
}

interface OnDemandOptions {
  /** Runs at a time; they share the uplink, and would be each other's loss. */
  readonly concurrency: number;
  /** Asked for and not begun. More are told to come again. */
  readonly maxWaiting: number;
  /** Of every series of a report. */
  readonly labels: Labels;
  /** A run that failed: who asked learns nothing of it, the log does. */
  readonly onFailed: (target: string, error: unknown) => void;
}

interface OnDemandAnswer {
  readonly status: 200 | 400 | 404 | 500 | 503;
  readonly body: string;
  /** The body is metrics, and not words for people. */
  readonly isMetrics: boolean;
}

const words = (status: OnDemandAnswer['status'], body: string): OnDemandAnswer => ({ status, body, isMetrics: false });

/** What Prometheus waits by default, and what it may say at most. */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 300_000;
/** The answer has to reach Prometheus before it gives up: half a second, as blackbox_exporter has it. */
const TIMEOUT_OFFSET_MS = 500;
const MIN_TIMEOUT_MS = 1000;

/** From `X-Prometheus-Scrape-Timeout-Seconds`. */
export const scrapeTimeoutMs = (header: string | undefined): number => {
  const seconds = header !== undefined && /^\d{1,6}(\.\d{1,9})?$/.test(header) ? Number(header) : 0;
  const asked = seconds > 0 ? seconds * 1000 : DEFAULT_TIMEOUT_MS;
  return Math.max(MIN_TIMEOUT_MS, Math.min(asked, MAX_TIMEOUT_MS) - TIMEOUT_OFFSET_MS);
};

const conventional = (success: boolean, seconds: number): string =>
  renderFamily({
    name: 'probe_success',
    help: '1 if every requirement of every chosen profile passes, else 0.',
    samples: [{ labels: {}, value: Number(success) }],
  }) +
  renderFamily({
    name: 'probe_duration_seconds',
    help: 'How long the probe took, waiting for its turn included.',
    samples: [{ labels: {}, value: seconds }],
  });

/**
 * Whether a page of another site has a browser ask (Fetch Metadata; RFC 6454 §7): such a page may not send packets from here.
 * Whoever is no browser sends neither field.
 */
export const isCrossSite = (
  { 'sec-fetch-site': site, origin }: Readonly<Record<string, string | readonly string[] | undefined>>,
  host: string | undefined,
): boolean => {
  if (site !== undefined && site !== 'none' && site !== 'same-origin') return true;
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
};

/** A handler for the query of `/probe`. */
export const createOnDemand = (runner: ProbeRunner, options: OnDemandOptions, monotonicMs: () => number) => {
  const limit = pLimit(options.concurrency);
  return async (query: URLSearchParams, timeoutMs: number, signal: AbortSignal): Promise<OnDemandAnswer> => {
    const target = query.get('target');
    const module = query.get('module');
    if (target === null) return words(400, 'the parameter target is missing\n');
    // Exact names of the configuration: nobody can make this host send packets to a place of their choice.
    if (!runner.targets.includes(target)) return words(404, 'no target of that name is configured\n');
    if (module !== null && !runner.modules.includes(module))
      return words(404, 'no module of that name is configured\n');
    const whyNot = runner.whyNot();
    if (whyNot !== null) return words(503, `${whyNot}\n`);
    if (limit.pendingCount >= options.maxWaiting) return words(503, 'too many probes are waiting\n');
    const begun = monotonicMs();
    const left = (): number => timeoutMs - (monotonicMs() - begun);
    const report = await limit(async () =>
      signal.aborted || left() <= 0 ? null : await runner.run(target, module, left(), signal),
    ).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    const seconds = (monotonicMs() - begun) / 1000;
    if (report instanceof Error) {
      // Who has gone ended it.
      if (!signal.aborted) options.onFailed(target, report);
      return words(500, 'the probe could not run; the log says why\n');
    }
    if (report === null) return words(503, 'no turn came before the scrape timed out\n');
    const metrics = conventional(exitCode(report) === 0, seconds) + renderTargets([{ target, report }], options.labels);
    if (query.get('debug') !== 'true') return { status: 200, body: metrics, isMetrics: true };
    const table = renderTable(report, { color: false, verbose: true });
    return words(200, `${table}\nMetrics that would have been returned:\n${metrics}`);
  };
};

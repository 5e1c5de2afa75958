/** What the agent notices of itself and of its host from tick to tick: another network, missed runs, losses, its own size. */
import type { Logger } from 'pino';
import type { JobState } from './job.js';
import type { HostNetwork } from './memory/network.js';
import { createMissedRuns } from './missed.js';
import type { Recorder } from './recorder.js';
import type { Clock } from './schedule/clock.js';
import type { Spool } from './spool/spool.js';
import type { StateStore } from './state-store.js';

const MEGABYTE = 1024 * 1024;
/** After so long without another one, a drop is past: it stays counted, and nobody need look for its cause any more. */
export const DROPPED_LATELY_MS = 3_600_000;

interface WatchOptions {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn' | 'error' | 'debug'>;
  readonly stateStore: StateStore;
  readonly recorder: Recorder;
  readonly spool: Spool;
  readonly network: () => HostNetwork;
  readonly residentBytes: () => number;
  readonly maxMemoryMegabytes: number;
  readonly jobs: ReadonlyMap<string, { readonly target: string; readonly state: JobState }>;
  /** Takes work that nobody waits for, but that the end has to wait for. */
  readonly inBackground: (work: Promise<unknown>) => void;
  readonly onFatal: (why: string) => void;
  /** Called when results were dropped since the last tick. */
  readonly onDropped: () => void;
}

export interface Watch {
  /** Compares the host's network with the remembered one, and says what changed. */
  lookAtNetwork(): Promise<void>;
  onMissed(job: string, count: number, reason: string): void;
  tick(): void;
}

/** Watches nothing by itself: somebody has to tick. */
export const createWatch = (options: WatchOptions): Watch => {
  const { clock, log, stateStore, recorder, spool, jobs, inBackground } = options;
  const missed = createMissedRuns();
  let droppedBefore = 0;
  /** Monotonic milliseconds of the last drop; null once it is past. */
  let droppedAt: number | null = null;
  let failingBefore: string | null = null;
  let overCeiling = false;

  const lookAtNetwork = async (): Promise<void> => {
    const now = options.network();
    const changes = stateStore.observeNetwork(now);
    if (changes.length === 0) return;
    log.warn({ changes }, "the host's own network changed: every target starts with a new baseline");
    await recorder.event('network-changed', '', { changes, network: now });
    await stateStore.save();
  };

  const tellMissed = (): void => {
    for (const { job, counts } of missed.take(clock.monotonic())) {
      log.warn({ job, missed: counts }, 'runs were missed');
      inBackground(recorder.event('runs-missed', jobs.get(job)?.target ?? '', { job, counts }));
    }
  };

  const tellDropped = (): void => {
    const { dropped } = spool.stats();
    const total = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    if (total === droppedBefore) {
      if (droppedAt === null || clock.monotonic() - droppedAt <= DROPPED_LATELY_MS) return;
      droppedAt = null;
      inBackground(recorder.event('drops-ended', '', { sinceStart: dropped }));
      return;
    }
    droppedBefore = total;
    droppedAt = clock.monotonic();
    options.onDropped();
    inBackground(recorder.event('results-dropped', '', { sinceStart: dropped }));
  };

  const tellDisk = (): void => {
    const { failing, held } = spool.stats();
    if (failing === failingBefore) return;
    failingBefore = failing;
    inBackground(recorder.event('disk-failing', '', { error: failing, held }));
  };

  const watchMemory = (): void => {
    const bytes = options.residentBytes();
    if (overCeiling || bytes <= options.maxMemoryMegabytes * MEGABYTE) return;
    overCeiling = true;
    const why = `${Math.round(bytes / MEGABYTE)} MB resident, more than agent.maxMemoryMegabytes (${options.maxMemoryMegabytes})`;
    log.error({ why }, 'the memory limit is reached: the agent exits, for its supervisor to restart it');
    inBackground(recorder.event('memory-ceiling', '', { why }).finally(() => options.onFatal(why)));
  };

  return {
    lookAtNetwork,
    onMissed: (job, count, reason) => {
      const known = jobs.get(job);
      if (known) {
        known.state.missed += count;
        known.state.missedBy.set(reason, (known.state.missedBy.get(reason) ?? 0) + count);
      }
      missed.add(job, count, reason);
      log.debug({ job, count, reason }, 'missed');
    },
    tick: () => {
      inBackground(lookAtNetwork());
      inBackground(spool.tend());
      tellMissed();
      tellDropped();
      tellDisk();
      watchMemory();
    },
  };
};

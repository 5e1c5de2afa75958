/** The agent as a whole: schedules, memory, spool and exporters, from the first tick to a clean end. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { nameOfTarget } from './config/rules.js';
import type { Config } from './config/schema.js';
import { type DeliveryState, deliverFrom, newDeliveryState } from './deliver.js';
import type { Exporter } from './exporters/contract.js';
import { type JobState, newJobState, type Runner, runJob } from './job.js';
import { createKeeper, type Keeper } from './keeper.js';
import { type HostNetwork, hostNetwork } from './memory/network.js';
import { readMemory } from './memory/store.js';
import type { ProbeRunner } from './metrics/on-demand.js';
import { createRunNow } from './metrics/run-now.js';
import { createMissedRuns } from './missed.js';
import { createRecorder, type Speaker } from './recorder.js';
import { createBudget } from './schedule/budget.js';
import { type Clock, pause } from './schedule/clock.js';
import { timingOf } from './schedule/due.js';
import { type Job, runSchedule } from './schedule/scheduler.js';
import { openSpool, type Spool } from './spool/spool.js';

export interface DaemonOptions {
  readonly config: Config;
  readonly stateDirectory: string;
  readonly agent: Speaker;
  readonly run: Runner;
  readonly exporters: readonly Exporter[];
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
  readonly network?: () => HostNetwork;
  readonly random?: () => number;
  /** Resident bytes of this process. */
  readonly residentBytes?: () => number;
  /** Called when the agent asks to be ended; the caller then fires the signal. */
  readonly onFatal?: (why: string) => void;
  readonly signal: AbortSignal;
}

/** What a running agent shows of itself: to the status page, to `probe health`, to metrics. */
export interface DaemonState {
  readonly agent: Speaker;
  readonly startedAt: number;
  readonly jobs: ReadonlyMap<string, { readonly target: string; readonly state: JobState }>;
  readonly deliveries: ReadonlyMap<string, DeliveryState>;
  readonly spool: Spool;
  readonly keeper: Keeper;
  /** Runs a target at once, from the same budget. */
  readonly probe: ProbeRunner;
  /** Monotonic milliseconds of the scheduler's last tick: an agent that does not tick is not alive. */
  lastTickAt: number;
}

export interface Daemon {
  readonly state: DaemonState;
  /** Resolves when everything has ended and is stored. */
  readonly ended: Promise<void>;
}

const MEGABYTE = 1024 * 1024;
/** Ages are not judged before the clock had an hour to be set right: hosts without a battery wake up in another year. */
const CLOCK_SETTLES_MS = 3_600_000;
/** How long exporters may take to deliver what is there when the agent ends; the rest is in the spool. */
const LAST_DELIVERY_MS = 3000;

/** Starts the agent. @throws if the state folder can neither be made nor read */
export const startDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const { config, clock, log, signal, agent, stateDirectory } = options;
  const network = options.network ?? (() => hostNetwork());
  const residentBytes = options.residentBytes ?? (() => process.memoryUsage.rss());
  const say = (message: string, details: Readonly<Record<string, unknown>> = {}): void => log.warn(details, message);

  await mkdir(stateDirectory, { recursive: true, mode: 0o750 }).catch(() => undefined);
  let clockTrustedFrom = clock.monotonic() + CLOCK_SETTLES_MS;
  const spool = await openSpool({
    folder: join(stateDirectory, 'spool'),
    policy: { maxBytes: config.spool.maxMegabytes * MEGABYTE, maxAgeMs: config.spool.maxAge },
    exporters: options.exporters.map(({ name }) => name),
    now: () => (clock.monotonic() >= clockTrustedFrom ? clock.wall() : null),
    say,
  });
  const memoryFile = join(stateDirectory, 'memory.json');
  const { memory, found } = await readMemory(memoryFile);
  if (found === 'damaged')
    say('the memory is unreadable: every target begins with a fresh baseline', { file: memoryFile });

  const jobNames = config.targets.flatMap((target) =>
    target.schedules.map(({ kind }) => `${nameOfTarget(target)}/${kind}`),
  );
  const keeper = createKeeper(memoryFile, memory, { targets: config.targets.map(nameOfTarget), jobs: jobNames }, say);
  const recorder = createRecorder(spool, clock, agent, (what, { agent: _self, schema: _schema, ...told }) =>
    what === 'change' ? log.warn({ change: told }, 'changed') : log.info({ event: told }, 'event'),
  );
  const budget = createBudget({
    packetsPerSecond: config.budget.packetsPerSecond,
    packetsPerDay: config.budget.packetsPerDay ?? null,
    spent: memory.spent,
  });
  const missed = createMissedRuns();
  const jobs = new Map<string, { target: string; state: JobState }>();
  const deliveries = new Map(options.exporters.map(({ name }) => [name, newDeliveryState()]));
  const state: DaemonState = {
    agent,
    startedAt: clock.wall(),
    jobs,
    deliveries,
    spool,
    keeper,
    probe: createRunNow(config, {
      run: options.run,
      budget,
      clock,
      onSpent: () => keeper.noteSpent(budget.spent()),
    }),
    lastTickAt: clock.monotonic(),
  };

  /** Work that nobody waits for, but that the end has to wait for. */
  const background = new Set<Promise<unknown>>();
  const inBackground = (work: Promise<unknown>): void => {
    const noted = work
      .catch((error: unknown) => log.error({ error: String(error) }, 'a defect in callpath, please report it'))
      .finally(() => background.delete(noted));
    background.add(noted);
  };

  const lookAtNetwork = async (): Promise<void> => {
    const now = network();
    const changes = keeper.observeNetwork(now);
    if (changes.length === 0) return;
    log.warn({ changes }, "the host's own network changed: every target begins with a fresh baseline");
    await recorder.event('network-changed', '', { changes, network: now });
    await keeper.save();
  };

  const onMissed = (job: string, count: number, reason: string): void => {
    const known = jobs.get(job);
    if (known) known.state.missed += count;
    missed.add(job, count, reason);
    log.debug({ job, count, reason }, 'missed');
  };

  const tellMissed = (): void => {
    for (const { job, counts } of missed.take(clock.monotonic())) {
      log.warn({ job, missed: counts }, 'runs were missed');
      inBackground(recorder.event('runs-missed', jobs.get(job)?.target ?? '', { job, counts }));
    }
  };

  let droppedBefore = 0;
  const tellDropped = (): void => {
    const { dropped } = spool.stats();
    const total = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    if (total === droppedBefore) return;
    droppedBefore = total;
    inBackground(recorder.event('results-dropped', '', { sinceStart: dropped }));
  };

  let overCeiling = false;
  const watchMemory = (): void => {
    const bytes = residentBytes();
    if (overCeiling || bytes <= config.agent.maxMemoryMegabytes * MEGABYTE) return;
    overCeiling = true;
    const why = `${Math.round(bytes / MEGABYTE)} MB resident, more than agent.maxMemoryMegabytes (${config.agent.maxMemoryMegabytes})`;
    log.error({ why }, 'the memory ceiling is reached: the agent ends, for its supervisor to start it again');
    inBackground(recorder.event('memory-ceiling', '', { why }).finally(() => options.onFatal?.(why)));
  };

  const jobOf = (target: Config['targets'][number], schedule: (typeof target.schedules)[number]): Job => {
    const targetName = nameOfTarget(target);
    const name = `${targetName}/${schedule.kind}`;
    const jobState = newJobState();
    jobs.set(name, { target: targetName, state: jobState });
    return {
      name,
      target: targetName,
      timing: timingOf(schedule, agent.id, name),
      run: (runSignal) =>
        runJob(
          {
            target: targetName,
            config: target,
            schedule,
            policy: {
              needed: config.confirmation.needed,
              of: config.confirmation.of,
              flapAfter: config.confirmation.flapAfter,
              flapWithinMs: config.confirmation.flapWithin,
            },
            secondLookAfterMs: config.confirmation.secondLookAfter,
            totalPacketsPerSecond: config.budget.packetsPerSecond,
            state: jobState,
            run: options.run,
            clock,
            budget,
            keeper,
            recorder,
            network,
            lookAtNetwork,
            onMissed: (reason) => onMissed(name, 1, reason),
            say,
          },
          runSignal,
        ),
    };
  };

  const all = config.targets.flatMap((target) => target.schedules.map((schedule) => jobOf(target, schedule)));
  await recorder.event('agent-started', '', { targets: config.targets.map(nameOfTarget), platform: process.platform });
  await lookAtNetwork();
  await keeper.save();

  // Deliveries outlive the schedule by a moment, so that the last results still go.
  const deliveryEnd = new AbortController();
  const delivering = options.exporters.map((exporter) =>
    deliverFrom({
      exporter,
      spool,
      clock,
      random: options.random ?? Math.random,
      say,
      signal: deliveryEnd.signal,
      state: deliveries.get(exporter.name) ?? newDeliveryState(),
    }),
  );

  const untilDelivered = async (): Promise<void> => {
    const giveUp = new AbortController();
    const cancel = clock.after(LAST_DELIVERY_MS, () => giveUp.abort());
    while (!giveUp.signal.aborted && Object.values(spool.stats().waiting).some((count) => count > 0)) {
      await pause(clock, 20, giveUp.signal);
    }
    cancel();
  };

  const live = async (): Promise<void> => {
    await runSchedule({
      clock,
      jobs: all,
      lastDue: memory.lastDue,
      onDue: keeper.noteDue,
      onMissed,
      onClock: (event) => {
        log.warn(event, event.kind === 'set' ? "the host's clock was set" : 'the host was suspended');
        if (event.kind === 'set') clockTrustedFrom = clock.monotonic() + CLOCK_SETTLES_MS;
        inBackground(
          event.kind === 'set'
            ? recorder.event('clock-set', '', { bySeconds: event.byMs / 1000 })
            : recorder.event('suspended', '', { forSeconds: event.forMs / 1000 }),
        );
      },
      onTick: () => {
        state.lastTickAt = clock.monotonic();
        inBackground(lookAtNetwork());
        inBackground(spool.tend());
        tellMissed();
        tellDropped();
        watchMemory();
      },
      signal,
    });
    await recorder.event('agent-stopped', '', {});
    await Promise.all(background);
    await untilDelivered();
    deliveryEnd.abort(new Error('the agent ends'));
    await Promise.all(delivering);
    await Promise.all(options.exporters.map((exporter) => exporter.close().catch(() => undefined)));
    await keeper.save();
    await spool.close();
  };
  log.info({ targets: config.targets.length, jobs: jobNames, stateDirectory }, 'agent ready');
  return { state, ended: live() };
};

/** The agent as a whole: schedules, memory, spool and exporters, from the first tick to a clean end. */
import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { nameOfTarget } from './config/rules.js';
import type { Config } from './config/schema.js';
import { type DeliveryState, newDeliveryState, startDeliveries } from './deliver.js';
import type { Exporter } from './exporters/contract.js';
import { fillHistory } from './history/fill.js';
import { createHistory, type History } from './history/history.js';
import { type JobView, newJobState, type Runner, runJob } from './job.js';
import { type HostNetwork, hostNetwork } from './memory/network.js';
import { readMemory } from './memory/store.js';
import type { ProbeRunner } from './metrics/on-demand.js';
import { createRunNow } from './metrics/run-now.js';
import { createRecorder, type Speaker } from './recorder.js';
import { createBudget } from './schedule/budget.js';
import type { Clock } from './schedule/clock.js';
import { timingOf } from './schedule/due.js';
import { type Job, runSchedule } from './schedule/scheduler.js';
import { type Need, shareFor } from './schedule/shares.js';
import { openSpool, type Spool } from './spool/spool.js';
import { createStateStore, type StateStore } from './state-store.js';
import { createWatch } from './watch.js';

interface DaemonOptions {
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
  readonly startedMonotonic: number;
  readonly jobs: ReadonlyMap<string, JobView>;
  readonly deliveries: ReadonlyMap<string, DeliveryState>;
  readonly spool: Spool;
  readonly stateStore: StateStore;
  /** Null where nobody asks for it. */
  readonly history: History | null;
  /** Runs a target at once, from the same budget. */
  readonly probe: ProbeRunner;
  /** Monotonic milliseconds of the scheduler's last tick: an agent that does not tick is not alive. */
  lastTickAt: number;
  /** Monotonic milliseconds of when results were last found dropped; null if none were. */
  lastDropAt: number | null;
}

export interface Daemon {
  readonly state: DaemonState;
  /** Resolves when everything has ended and is stored. */
  readonly ended: Promise<void>;
}

const MEGABYTE = 1024 * 1024;
/** Ages are not judged before the clock had an hour to be set right: hosts without a battery wake up in another year. */
const CLOCK_SETTLES_MS = 3_600_000;
/** What a light run of one service sends. */
const TYPICAL_PACKETS = 270;

/** Starts the agent. @throws if the state folder can neither be made nor read */
export const startDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const { config, clock, log, signal, agent, stateDirectory } = options;
  // Each job that waits listens to it, and there is no limit to targets.
  setMaxListeners(0, signal);
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
    say('the memory is unreadable: every target starts with a new baseline', { file: memoryFile });

  const jobNames = config.targets.flatMap((target) =>
    target.schedules.map(({ kind }) => `${nameOfTarget(target)}/${kind}`),
  );
  const stateStore = createStateStore(
    memoryFile,
    memory,
    { targets: config.targets.map(nameOfTarget), jobs: jobNames },
    say,
  );
  // Only the status page looks back.
  const history = config.status === undefined ? null : createHistory(config.targets.map(nameOfTarget));
  const recorder = createRecorder(
    spool,
    clock,
    agent,
    (what, { agent: _self, schema: _schema, ...told }) =>
      what === 'change' ? log.warn({ change: told }, 'changed') : log.info({ event: told }, 'event'),
    (target, lane, report) => history?.note(target, lane, report, 'live'),
  );
  const budget = createBudget({
    packetsPerSecond: config.budget.packetsPerSecond,
    packetsPerDay: config.budget.packetsPerDay ?? null,
    spent: memory.spent,
  });
  const jobs = new Map<string, JobView>();
  const deliveries = new Map(options.exporters.map(({ name }) => [name, newDeliveryState()]));
  const state: DaemonState = {
    agent,
    startedAt: clock.wall(),
    startedMonotonic: clock.monotonic(),
    jobs,
    deliveries,
    spool,
    stateStore,
    history,
    probe: createRunNow(config, {
      run: options.run,
      budget,
      clock,
      onSpent: () => stateStore.noteSpent(budget.spent()),
    }),
    lastTickAt: clock.monotonic(),
    lastDropAt: null,
  };

  /** Work that nobody waits for, but that the end has to wait for. */
  const background = new Set<Promise<unknown>>();
  const inBackground = (work: Promise<unknown>): void => {
    const noted = work
      .catch((error: unknown) => log.error({ error: String(error) }, 'a defect in callpath, please report it'))
      .finally(() => background.delete(noted));
    background.add(noted);
  };

  const watch = createWatch({
    ...{ clock, log, stateStore, recorder, spool, network, residentBytes, inBackground },
    maxMemoryMegabytes: config.agent.maxMemoryMegabytes,
    jobs,
    onFatal: (why) => options.onFatal?.(why),
    onDropped: () => {
      state.lastDropAt = clock.monotonic();
    },
  });

  /** Of light runs, as the last one of each says; of one that has not run yet, what such runs send. */
  const lightNeeds = (): readonly Need[] =>
    [...jobs.values()].flatMap(({ kind, everyMs, state: { lastReport } }) =>
      kind === 'light' && everyMs !== null
        ? [{ everyMs, packets: lastReport?.totals.packetsSent ?? TYPICAL_PACKETS }]
        : [],
    );

  /** What is under way of a target is slow for want of budget, and not because it takes so long. */
  const isShort = (job: string): boolean => {
    const target = jobs.get(job)?.target;
    return [...jobs.values()].some((one) => one.target === target && one.state.isShort);
  };

  const jobOf = (target: Config['targets'][number], schedule: (typeof target.schedules)[number]): Job => {
    const targetName = nameOfTarget(target);
    const name = `${targetName}/${schedule.kind}`;
    const jobState = newJobState();
    jobs.set(name, { target: targetName, kind: schedule.kind, everyMs: schedule.every ?? null, state: jobState });
    return {
      name,
      target: targetName,
      lane: schedule.kind === 'light' ? 'light' : 'full',
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
            wanted: (kind) => shareFor(kind, config.budget.packetsPerSecond, lightNeeds()),
            wantedAlone: shareFor(schedule.kind, config.budget.packetsPerSecond, []),
            state: jobState,
            run: options.run,
            clock,
            budget,
            stateStore,
            recorder,
            network,
            lookAtNetwork: watch.lookAtNetwork,
            onMissed: (reason) => watch.onMissed(name, 1, reason),
            say,
          },
          runSignal,
        ),
    };
  };

  const all = config.targets.flatMap((target) => target.schedules.map((schedule) => jobOf(target, schedule)));
  await recorder.event('agent-started', '', { targets: config.targets.map(nameOfTarget), platform: process.platform });
  await watch.lookAtNetwork();
  await stateStore.save();

  const delivering = startDeliveries(options.exporters, deliveries, {
    ...{ spool, clock, say },
    lanes: {
      light: config.targets.filter(({ schedules }) => schedules.some(({ kind }) => kind === 'light')).map(nameOfTarget),
      full: config.targets.filter(({ schedules }) => schedules.some(({ kind }) => kind !== 'light')).map(nameOfTarget),
    },
    random: options.random ?? Math.random,
  });

  if (history) inBackground(fillHistory(history, spool, clock, signal));
  const live = async (): Promise<void> => {
    await runSchedule({
      clock,
      jobs: all,
      lastDue: memory.lastDue,
      onDue: stateStore.noteDue,
      onMissed: (job, count, reason) =>
        watch.onMissed(job, count, reason === 'busy' && isShort(job) ? 'budget' : reason),
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
        watch.tick();
      },
      signal,
    });
    await recorder.event('agent-stopped', '', {});
    await Promise.all(background);
    await delivering.finish();
    await Promise.all(options.exporters.map((exporter) => exporter.close().catch(() => undefined)));
    await stateStore.save();
    await spool.close();
  };
  log.info({ targets: config.targets.length, jobs: jobNames, stateDirectory }, 'agent ready');
  return { state, ended: live() };
};

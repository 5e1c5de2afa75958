/** The agent as a whole: schedules, memory, spool and exporters, from the first tick to a clean end. */
import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Background, createBackground } from './background.js';
import { nameOfTarget } from './config/rules.js';
import type { Config } from './config/schema.js';
import { type DeliveryState, newDeliveryState, startDeliveries } from './deliver.js';
import type { Exporter } from './exporters/contract.js';
import { fillHistory } from './history/fill.js';
import { createHistory, type History } from './history/history.js';
import type { JobView, Runner } from './job.js';
import { createJobs, isShort, namesOfJobs } from './jobs.js';
import { type HostNetwork, hostNetwork } from './memory/network.js';
import { readMemory } from './memory/store.js';
import type { ProbeRunner } from './metrics/on-demand.js';
import { createRunNow } from './metrics/run-now.js';
import { createRecorder, type Recorder, type Speaker } from './recorder.js';
import { createBudget } from './schedule/budget.js';
import type { Clock, ClockEvent } from './schedule/clock.js';
import { runSchedule } from './schedule/scheduler.js';
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

type Say = (message: string, details?: Readonly<Record<string, unknown>>) => void;

/** The host's clock, for who must know whether it is to be believed. */
const createSettlingClock = (clock: Clock) => {
  let trustedFrom = clock.monotonic() + CLOCK_SETTLES_MS;
  return {
    /** Milliseconds, or null while the clock is not to be believed. */
    wall: (): number | null => (clock.monotonic() >= trustedFrom ? clock.wall() : null),
    wasSet: (): void => {
      trustedFrom = clock.monotonic() + CLOCK_SETTLES_MS;
    },
  };
};

/** What outlives the agent: the spool of results, and the memory of its targets. */
const openStores = async (
  { config, stateDirectory, exporters }: DaemonOptions,
  now: () => number | null,
  say: Say,
): Promise<{ readonly spool: Spool; readonly stateStore: StateStore }> => {
  await mkdir(stateDirectory, { recursive: true, mode: 0o750 }).catch(() => undefined);
  const spool = await openSpool({
    folder: join(stateDirectory, 'spool'),
    policy: { maxBytes: config.spool.maxMegabytes * MEGABYTE, maxAgeMs: config.spool.maxAge },
    exporters: exporters.map(({ name }) => name),
    now,
    say,
  });
  const file = join(stateDirectory, 'memory.json');
  const { memory, found } = await readMemory(file);
  if (found === 'damaged') say('the memory is unreadable: every target starts with a new baseline', { file });
  const known = { targets: config.targets.map(nameOfTarget), jobs: namesOfJobs(config) };
  return { spool, stateStore: createStateStore(file, memory, known, say) };
};

/** Whose newest results exporters are reminded of. */
const lanesOf = ({ targets }: Config): Readonly<Record<'light' | 'full', readonly string[]>> => ({
  light: targets.filter(({ schedules }) => schedules.some(({ kind }) => kind === 'light')).map(nameOfTarget),
  full: targets.filter(({ schedules }) => schedules.some(({ kind }) => kind !== 'light')).map(nameOfTarget),
});

const tellOfClock = (
  event: ClockEvent,
  log: DaemonOptions['log'],
  recorder: Recorder,
  background: Background,
): void => {
  log.warn(event, event.kind === 'set' ? "the host's clock was set" : 'the host was suspended');
  background.add(
    event.kind === 'set'
      ? recorder.event('clock-set', '', { bySeconds: event.byMs / 1000 })
      : recorder.event('suspended', '', { forSeconds: event.forMs / 1000 }),
  );
};

/** Records go to the spool; what happens, to the log as well, and reports to the history. */
const recorderFor = ({ clock, agent, log }: DaemonOptions, spool: Spool, history: History | null): Recorder =>
  createRecorder(
    spool,
    clock,
    agent,
    (what, { agent: _self, schema: _schema, ...told }) =>
      what === 'change' ? log.warn({ change: told }, 'changed') : log.info({ event: told }, 'event'),
    (target, lane, report) => history?.note(target, lane, report, 'live'),
  );

/** Starts the agent. @throws if the state folder can neither be made nor read */
export const startDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const { config, clock, log, signal, agent, stateDirectory, run } = options;
  // Each job that waits listens to it, and there is no limit to targets.
  setMaxListeners(0, signal);
  const network = options.network ?? (() => hostNetwork());
  const say: Say = (message, details = {}) => log.warn(details, message);
  const settling = createSettlingClock(clock);
  const { spool, stateStore } = await openStores(options, settling.wall, say);
  const { lastDue, spent } = stateStore.memory();
  // Only the status page looks back.
  const history = config.status === undefined ? null : createHistory(config.targets.map(nameOfTarget));
  const recorder = recorderFor(options, spool, history);
  const { packetsPerSecond, packetsPerDay = null } = config.budget;
  const budget = createBudget({ packetsPerSecond, packetsPerDay, spent });
  const background = createBackground(log);
  const views = new Map<string, JobView>();
  const deliveries = new Map(options.exporters.map(({ name }) => [name, newDeliveryState()]));
  const state: DaemonState = {
    ...{ agent, deliveries, spool, stateStore, history },
    jobs: views,
    startedAt: clock.wall(),
    startedMonotonic: clock.monotonic(),
    probe: createRunNow(config, { run, budget, clock, onSpent: () => stateStore.noteSpent(budget.spent()) }),
    lastTickAt: clock.monotonic(),
    lastDropAt: null,
  };
  const watch = createWatch({
    ...{ clock, log, stateStore, recorder, spool, network },
    residentBytes: options.residentBytes ?? (() => process.memoryUsage.rss()),
    maxMemoryMegabytes: config.agent.maxMemoryMegabytes,
    jobs: views,
    inBackground: background.add,
    onFatal: (why) => options.onFatal?.(why),
    onDropped: () => {
      state.lastDropAt = clock.monotonic();
    },
  });
  const jobs = createJobs({
    ...{ config, views, run, clock, budget, stateStore, recorder, network, watch, say },
    agentId: agent.id,
  });

  await recorder.event('agent-started', '', { targets: config.targets.map(nameOfTarget), platform: process.platform });
  await watch.lookAtNetwork();
  await stateStore.save();
  const delivering = startDeliveries(options.exporters, deliveries, {
    ...{ spool, clock, say },
    lanes: lanesOf(config),
    random: options.random ?? Math.random,
  });
  if (history) background.add(fillHistory(history, spool, clock, signal));

  const live = async (): Promise<void> => {
    await runSchedule({
      ...{ clock, jobs, lastDue, signal },
      onDue: stateStore.noteDue,
      onMissed: (job, count, reason) =>
        watch.onMissed(job, count, reason === 'busy' && isShort(views, job) ? 'budget' : reason),
      onClock: (event) => {
        if (event.kind === 'set') settling.wasSet();
        tellOfClock(event, log, recorder, background);
      },
      onTick: () => {
        state.lastTickAt = clock.monotonic();
        watch.tick();
      },
    });
    await recorder.event('agent-stopped', '', {});
    await background.ended();
    await delivering.finish();
    await Promise.all(options.exporters.map((exporter) => exporter.close().catch(() => undefined)));
    await stateStore.save();
    await spool.close();
  };
  log.info({ targets: config.targets.length, jobs: namesOfJobs(config), stateDirectory }, 'agent ready');
  return { state, ended: live() };
};

/** An agent in simulated time, in a world that the test changes. */
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as v from 'valibot';
import { type Config, ConfigSchema } from '../../../src/agent/config/schema.js';
import { startDaemon } from '../../../src/agent/daemon.js';
import type { Delivery, Exporter, SpoolRecord } from '../../../src/agent/exporters/contract.js';
import type { HostNetwork } from '../../../src/agent/memory/network.js';
import type { Report } from '../../../src/model/report.js';
import { dead, fine, NETWORK, reportOf, type SimClock, simClock, untilIdle, type World } from './sim.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const configOf = (more: object = {}): Config =>
  v.parse(ConfigSchema, {
    targets: [{ name: 'hq', host: 'reflector.example', schedules: [{ kind: 'light', every: '1m' }] }],
    ...more,
  });

/** An exporter to memory, whose line can be cut. */
export const receiver = (name = 'memory') => {
  const line = { up: true, tries: 0, answer: null as Delivery | null };
  const records: SpoolRecord[] = [];
  const exporter: Exporter = {
    name,
    deliver: async (batch) => {
      line.tries += 1;
      if (!line.up) return { outcome: 'retry', why: 'no route to host', afterMs: null };
      if (line.answer) return line.answer;
      records.push(...batch);
      return { outcome: 'delivered' };
    },
    close: async () => undefined,
  };
  return { line, records, exporter };
};

/** In memory where there is such a place: simulated days take thousands of flushes, and a busy disk takes seconds for one. */
export const stateRoot = (): string =>
  mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'callpath-agent-'));

type RunRequest = Parameters<Parameters<typeof startDaemon>[0]['run']>[0];

interface AgentOptions {
  readonly folder: string;
  readonly config?: Config;
  readonly clock?: SimClock;
  readonly exporters?: readonly Exporter[];
  readonly residentBytes?: () => number;
  /** The host's network at the start. */
  readonly network?: HostNetwork;
}

/** An agent in a world that the test changes. */
export const agentIn = async (options: AgentOptions) => {
  const { folder } = options;
  const clock = options.clock ?? simClock();
  const controller = new AbortController();
  const state = {
    world: fine() as World,
    /** What single runs meet before they meet the world. */
    next: [] as World[],
    network: options.network ?? NETWORK,
    runs: 0,
    fails: null as string | null,
    takes: 1500,
    /** The same of sweeps; as long as others if null. */
    sweepTakes: null as number | null,
    /** How long runs of this rate take, in place of `takes`; null: all alike. */
    takesAt: null as ((packetsPerSecond: number) => number) | null,
    /** What runs report instead of the world; `at` is when they began, and they end now. */
    report: null as ((at: number, run: Pick<RunRequest, 'kind' | 'watched'>) => Report) | null,
  };
  const log: string[] = [];
  const note = (details: object | string, message?: string): void => {
    if (log.length < 1000) log.push(message ?? String(details));
  };
  let fatal: string | null = null;
  const daemon = await startDaemon({
    config: options.config ?? configOf(),
    stateDirectory: folder,
    agent: { id: 'agent', name: 'branch-17', version: '0.1.0', hostname: 'host' },
    clock,
    exporters: options.exporters ?? [],
    log: { info: note, warn: note, error: note, debug: () => undefined } as never,
    network: () => state.network,
    random: () => 0.5,
    residentBytes: options.residentBytes ?? (() => 50e6),
    onFatal: (why) => {
      fatal = why;
      controller.abort();
    },
    signal: controller.signal,
    run: async ({ kind, packetsPerSecond, watched }, signal) => {
      state.runs += 1;
      if (state.fails !== null) throw new Error(state.fails);
      const at = clock.wall();
      // A sweep asks at its beginning what a firewall does at its beginning.
      const found = kind === 'sweep' ? state.world : null;
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          signal.removeEventListener('abort', finish);
          cancel();
          resolve();
        };
        const takes = state.takesAt?.(packetsPerSecond) ?? state.takes;
        const cancel = clock.after(kind === 'sweep' ? (state.sweepTakes ?? takes) : takes, finish);
        signal.addEventListener('abort', finish);
      });
      return (
        state.report?.(at, { kind, ...(watched && { watched }) }) ??
        reportOf(found ?? state.next.shift() ?? state.world, at)
      );
    },
  });
  const stop = async (): Promise<void> => {
    controller.abort();
    // The end waits for deliveries by the clock, which only we move.
    let ended = false;
    const end = daemon.ended.then(() => {
      ended = true;
    });
    while (!ended) {
      await untilIdle();
      await clock.advance(100);
    }
    await end;
  };
  return { daemon, state, clock, log, folder, stop, fatal: () => fatal };
};

/** Bytes of live objects, after what is garbage has gone. */
const liveBytes = (): number => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) gc();
  return process.memoryUsage().heapUsed;
};

const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

/** The spool's least ceiling; it is full after a few hours, and then its index grows no more. */
const SPOOL_MEGABYTES = 2;
/** Live memory is the least of so many hours' ends: what a collection left over by chance is not growth. */
const WINDOW_HOURS = 5;

export interface Life {
  readonly runs: number;
  readonly summary: string;
  readonly faults: readonly string[];
}

/** Lives for hours of simulated time with trouble now and then, and looks for what is left behind. */
export const liveFor = async (
  folder: string,
  size: { readonly targets: number; readonly hours: number; readonly maxGrowth: number },
): Promise<Life> => {
  let delivered = 0;
  const counting: Exporter = {
    name: 'counting',
    deliver: async (batch) => {
      delivered += batch.length;
      return { outcome: 'delivered' };
    },
    close: async () => undefined,
  };
  const config = configOf({
    spool: { maxMegabytes: SPOOL_MEGABYTES },
    targets: Array.from({ length: size.targets }, (_, index) => ({
      name: `target-${index}`,
      host: 'reflector.example',
      schedules: [
        { kind: 'light', every: '1m' },
        { kind: 'sweep', every: '1h' },
        { kind: 'deep', cron: '0 3 * * *', timezone: 'UTC' },
      ],
    })),
  });
  const { daemon, state, clock, stop } = await agentIn({ folder, config, exporters: [counting] });
  const live: number[] = [];
  let [openBefore, timersBefore] = [0, 0];
  for (let hour = 1; hour <= size.hours; hour += 1) {
    state.world =
      hour % 11 === 0
        ? dead
        : hour % 7 === 2
          ? fine({ 'sip-options/udp/5060': 'blocked/dropped' }, 'degraded')
          : fine();
    await clock.advance(HOUR);
    live.push(liveBytes());
    if (hour === WINDOW_HOURS) [openBefore, timersBefore] = [descriptors(), clock.timers()];
  }
  const least = (values: readonly number[]): number => Math.min(...values);
  const settled = Math.max(WINDOW_HOURS, Math.floor(size.hours / 4));
  const [before, after] = [least(live.slice(settled, settled + WINDOW_HOURS)), least(live.slice(-WINDOW_HOURS))];
  const [openAfter, timersAfter] = [descriptors(), clock.timers()];
  const { bytes, dropped } = daemon.state.spool.stats();
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  await stop();
  const megabytes = (value: number): string => (value / 1e6).toFixed(1);
  return {
    runs: state.runs,
    summary: `${state.runs} runs in ${size.hours} h, ${delivered} delivered, live memory ${megabytes(before)} -> ${megabytes(after)} MB`,
    faults: [
      ...(after > before * (1 + size.maxGrowth)
        ? [`live memory grew from ${megabytes(before)} to ${megabytes(after)} MB`]
        : []),
      ...(openAfter > openBefore ? [`${openBefore} files were open, then ${openAfter}`] : []),
      ...(timersAfter > timersBefore + size.targets ? [`${timersBefore} timers, then ${timersAfter}`] : []),
      ...(clock.timers() > 0 ? [`${clock.timers()} timers after the end`] : []),
      ...(bytes > SPOOL_MEGABYTES * 1024 * 1024 ? [`the spool takes ${bytes} bytes`] : []),
      ...(lost > 0 ? [`${lost} delivered results count as lost`] : []),
    ],
  };
};

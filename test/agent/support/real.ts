/** An agent that lives by an injected clock and measures by real sockets: many runs in little time, watched for leaks. */
import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { startDaemon } from '../../../src/agent/daemon.js';
import type { Exporter } from '../../../src/agent/exporters/contract.js';
import { runnerIn } from '../../../src/agent/runner.js';
import { createProbeThread, DAEMON_LIMITS } from '../../../src/run/thread/thread.js';
import { configOf } from './agent.js';
import { NETWORK, simClock, untilIdle } from './sim.js';

const MINUTE = 60_000;

interface RealLifeOptions {
  readonly folder: string;
  /** The reflector's address. */
  readonly host: string;
  readonly tokenFile: string;
  readonly profiles: readonly string[];
  /** Probed in parallel; each is the same reflector under a name of its own. */
  readonly targets: number;
  readonly runs: number;
  /** Runs before the first measurement: code is compiled, buffers are as large as they get. */
  readonly warmUp: number;
  readonly maxGrowth: number;
}

interface RealLife {
  readonly runs: number;
  readonly summary: string;
  readonly faults: readonly string[];
}

interface Sample {
  readonly runs: number;
  readonly live: number;
  readonly resident: number;
  readonly descriptors: number;
  readonly timers: number;
  readonly listeners: number;
  readonly handles: number;
  readonly logLines: number;
  readonly logBytes: number;
}

const collect = (): void => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) gc();
};

const listenersOf = (): number => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const SIGNALLING = `profile: signalling
title: Signalling
summary: SIP for a test
thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }
thresholdsSources: [{ title: A test, evidence: secondary, checkedOn: 2026-11-21 }]
symptoms: { signalling: cannot-register }
requirements:
  - id: sip
    need: required
    role: signalling
    purpose: Registration and calls
    anyOf:
      - { probe: sip-options, transport: udp, port: 5060 }
      - { probe: sip-options, transport: tcp, port: 5060 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
  - id: stun
    need: optional
    role: media
    purpose: Mapped addresses
    check: { probe: stun-binding, transport: udp, port: 3478 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
`;

/** A profile that takes a second, so that many runs take minutes. @returns its file */
export const signallingProfile = (folder: string): string => {
  const file = join(folder, 'signalling.yaml');
  writeFileSync(file, SIGNALLING);
  return file;
};

/** Resolves with what was left behind. Linux, because descriptors are counted in /proc. */
export const reallyLive = async (options: RealLifeOptions): Promise<RealLife> => {
  const clock = simClock();
  const thread = createProbeThread(DAEMON_LIMITS);
  const run = runnerIn(thread);
  const controller = new AbortController();
  const passing: Record<string, number> = {};
  let delivered = 0;
  const counting: Exporter = {
    name: 'counting',
    deliver: async (batch) => {
      delivered += batch.length;
      return { outcome: 'delivered' };
    },
    close: async () => undefined,
  };
  const log = { lines: 0, bytes: 0 };
  const logged = {
    write: (line: string): void => {
      log.lines += 1;
      log.bytes += Buffer.byteLength(line);
    },
  };
  let done = 0;
  let underWay = 0;
  let wake = (): void => undefined;
  const quiet = (): Promise<void> =>
    new Promise((resolve) => {
      wake = (): void => {
        if (underWay === 0) resolve();
      };
      wake();
    });
  const config = configOf({
    budget: { packetsPerSecond: 20_000 },
    spool: { maxMegabytes: 2 },
    status: {},
    targets: Array.from({ length: options.targets }, (_, index) => ({
      name: `target-${index}`,
      host: options.host,
      tokenFile: options.tokenFile,
      profiles: options.profiles,
      // Little enough that all find room in the budget at once.
      schedules: [{ kind: 'light', every: '1m', packetsPerSecond: 500 }],
    })),
  });
  const daemon = await startDaemon({
    config,
    stateDirectory: options.folder,
    agent: { id: 'agent', name: 'branch-17', version: '0.1.0', hostname: 'host' },
    clock,
    exporters: [counting],
    log: pino({ level: 'info' }, logged),
    network: () => NETWORK,
    residentBytes: () => 0,
    signal: controller.signal,
    run: async (request, signal) => {
      underWay += 1;
      try {
        const report = await run(request, signal);
        for (const { verdict } of report.services) passing[verdict] = (passing[verdict] ?? 0) + 1;
        return report;
      } finally {
        underWay -= 1;
        done += 1;
        setImmediate(() => wake());
      }
    },
  });

  const sample = async (): Promise<Sample> => {
    await untilIdle();
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    return {
      runs: done,
      live: heapUsed + external,
      resident: rss,
      descriptors: readdirSync('/proc/self/fd').length,
      timers: clock.timers(),
      listeners: listenersOf(),
      handles: process.getActiveResourcesInfo().length,
      logLines: log.lines,
      logBytes: log.bytes,
    };
  };

  const samples: Sample[] = [];
  const stretch = Math.max(1, Math.floor((options.runs - options.warmUp) / 20));
  // What looking for leaks takes is not the agent's.
  let cpuSpent = 0;
  let runsFrom = 0;
  while (done < options.runs) {
    const before = cpuSeconds();
    await clock.advance(MINUTE);
    await quiet();
    if (samples.length > 0) cpuSpent += cpuSeconds() - before;
    if (done < options.warmUp) continue;
    if (samples.length === 0) runsFrom = done;
    if (samples.length === 0 || done >= (samples.at(-1)?.runs ?? 0) + stretch) samples.push(await sample());
  }
  const cpuPerRun = (cpuSpent / Math.max(1, done - runsFrom)) * 1000;
  samples.push(await sample());
  controller.abort();
  let ended = false;
  const end = daemon.ended.then(() => {
    ended = true;
  });
  while (!ended) {
    await untilIdle();
    await clock.advance(100);
  }
  await end;
  await thread.close();

  // The least of a third of the samples: what one collection left over by chance is not growth.
  const third = Math.max(1, Math.floor(samples.length / 3));
  const least = (part: readonly Sample[], of: (one: Sample) => number): number => Math.min(...part.map(of));
  const [first, last] = [samples.slice(0, third), samples.slice(-third)];
  const faults: string[] = [];
  const flat = (what: string, of: (one: Sample) => number, allowed: number): void => {
    const [before, after] = [least(first, of), least(last, of)];
    if (after > allowed * before) faults.push(`${what}: ${before}, then ${after}`);
  };
  flat('live memory', ({ live }) => live, 1 + options.maxGrowth);
  flat('resident memory', ({ resident }) => resident, 1 + options.maxGrowth);
  flat('descriptors', ({ descriptors }) => descriptors, 1);
  flat('timers', ({ timers }) => timers, 1);
  flat('listeners', ({ listeners }) => listeners, 1);
  flat('handles', ({ handles }) => handles, 1);
  if (clock.timers() > 0) faults.push(`${clock.timers()} timers after the end`);
  if (delivered < done) faults.push(`${done} results, ${delivered} delivered`);
  const megabytes = (of: (one: Sample) => number): string =>
    [first, last].map((part) => (least(part, of) / 1024 / 1024).toFixed(1)).join(' -> ');
  // Of the daemon's own log at its usual level; what each target says at its start is not of the runs.
  const [from, to] = [samples[0], samples.at(-1)];
  const perThousand = (of: (one: Sample) => number): string =>
    from && to ? (((of(to) - of(from)) / Math.max(1, to.runs - from.runs)) * 1000).toFixed(0) : '0';
  const verdicts = Object.entries(passing).map(([verdict, count]) => `${count} ${verdict}`);
  return {
    runs: done,
    summary: [
      `${done} runs (${verdicts.join(', ')})`,
      `${cpuPerRun.toFixed(1)} ms CPU per run after the first ${runsFrom}`,
      `live memory ${megabytes(({ live }) => live)} MB`,
      `resident ${megabytes(({ resident }) => resident)} MB, at most ${(Math.max(...samples.map(({ resident }) => resident)) / 1024 / 1024).toFixed(1)} MB`,
      `descriptors ${first[0]?.descriptors} -> ${last.at(-1)?.descriptors}`,
      `log ${perThousand(({ logLines }) => logLines)} lines, ${perThousand(({ logBytes }) => logBytes)} bytes per 1,000 runs`,
      `${cpus().length} cores`,
    ].join('; '),
    faults,
  };
};

/** Every flood in turn against one reflector: what an agent's echoes bear, and what probes say meanwhile. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOKEN } from '../../../test/reflector/support.js';
import { startTarget, type Target } from '../target.js';
import { type Beside, probeBeside } from './beside.js';
import { forkBeside, TARGET_CORE } from './cores.js';
import type { Flood } from './floods.js';
import { LATE_MS, quantile, type Trips } from './meter.js';
import { type AttackResult, lineOf } from './report.js';
import { GREEDY_TOKEN } from './tenants.js';

/** The flood is at its height by then, and what it left is done by then. */
const RISE_MS = 500;
const METER_PORT = 3478;
/** What an agent may notice: five times what it waits without an attack, and never less than a collection of young garbage. */
const TIMES_IDLE = 5;
const LEAST_MS = 4;
/** With and without the flood in turn, so that what else the machine does weighs on both alike. */
const ROUNDS = 3;
/** Beside probes a flood comes and goes at such intervals, so that it begins in the middle of a run. */
const FLOOD_LASTS_MS = [400, 3000] as const;
const PAUSE_LASTS_MS = [300, 1500] as const;

interface FloodedOptions {
  readonly floods: Readonly<Record<string, Flood>>;
  /** Whether they are by strangers: who holds a token may make others wait for the time that its answers take. */
  readonly areStrangers: boolean;
  readonly networks: number;
  /** How long is measured under each flood. */
  readonly forMs: number;
  /** Only floods whose name has this in it. */
  readonly only?: string;
  /** How many probes run beside each flood. */
  readonly probes: number;
}

/**
 * Starts a flood; what it returns ends it, and resolves when nothing of it is sent any more.
 * @param isFirst it gets a whole core, whatever else the machine does
 */
const startFlood = (name: string, { address }: Target, networks: number, isFirst: boolean): (() => Promise<void>) => {
  const flooder = forkBeside('./flooder.js');
  flooder.send({ name, address, tcp: 5060, udp: 5060, networks, isFirst });
  return async () => {
    const gone = once(flooder, 'exit');
    flooder.kill('SIGKILL');
    await gone;
  };
};

const between = ([least, most]: readonly [number, number]): number => least + Math.random() * (most - least);

/** Probes beside a flood that comes and goes. */
const probesBeside = async (name: string, target: Target, { networks, probes }: FloodedOptions): Promise<Beside> => {
  const done = new AbortController();
  const tide = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const end = startFlood(name, target, networks, false);
      await sleep(between(FLOOD_LASTS_MS), null, { signal: done.signal }).catch(() => undefined);
      await end();
      await sleep(between(PAUSE_LASTS_MS), null, { signal: done.signal }).catch(() => undefined);
    }
  };
  const [beside] = await Promise.all([
    probeBeside(target.address, { count: probes }).finally(() => done.abort()),
    tide(),
  ]);
  return beside;
};

/** Round trips with and without the flood, in turn. */
const measure = async (
  name: string,
  target: Target,
  { networks, forMs }: FloodedOptions,
): Promise<{ readonly idle: Trips; readonly under: Trips }> => {
  const meter = forkBeside('./meter-process.js', true);
  const trips = async (ms: number): Promise<Trips> => {
    const told = once(meter, 'message');
    meter.send({ address: target.address, port: METER_PORT, forMs: ms, pid: target.pid });
    const [result] = await told;
    return result as Trips;
  };
  const idle: number[] = [];
  const under: number[] = [];
  try {
    await trips(RISE_MS);
    for (let round = 0; round < ROUNDS; round += 1) {
      idle.push(...(await trips(forMs / ROUNDS)));
      const end = startFlood(name, target, networks, true);
      await sleep(RISE_MS);
      under.push(...(await trips(forMs / ROUNDS)));
      await end();
      await sleep(RISE_MS);
    }
  } finally {
    meter.disconnect();
  }
  return { idle, under };
};

/** Two tenants: one probes and is measured, the other may be who attacks. */
const TOKENS = `honest ${TOKEN.toString('latin1')}\ngreedy ${GREEDY_TOKEN}\n`;

/** Does something with a reflector that nobody else uses, and says what was wrong with it afterwards. */
const withTarget = async <T>(
  isFirst: boolean,
  work: (target: Target) => Promise<T>,
): Promise<{ readonly result: T; readonly findings: readonly string[] }> => {
  const place = `127.${210 + (process.pid % 20)}.${process.pid % 250}.1`;
  const target = await startTarget(place, { core: TARGET_CORE, isFirst, tokens: TOKENS });
  try {
    const result = await work(target);
    const ended = target.ended();
    const said = target.complaints().map((line) => `it logged ${line}`);
    return { result, findings: ended === null ? said : [`the reflector ${ended}`, ...said] };
  } finally {
    await target.stop();
  }
};

const COUNTERS = ['refused_connections_total', 'held_back_total', 'late_milliseconds_total'] as const;

export const flooded = async (options: FloodedOptions): Promise<AttackResult> => {
  const lines: string[] = [];
  const findings: string[] = [];
  let probed = 0;
  for (const name of Object.keys(options.floods).filter((one) => one.includes(options.only ?? ''))) {
    const measured = await withTarget(true, async (target) => ({
      ...(await measure(name, target, options)),
      counted: await Promise.all(COUNTERS.map((counter) => target.counter(`callpath_reflector_${counter}`))),
    }));
    const beside = options.probes > 0 ? await withTarget(false, (target) => probesBeside(name, target, options)) : null;
    const { idle, under, counted } = measured.result;
    const [idleMs, underMs] = [quantile(idle, 0.99), quantile(under, 0.99)];
    const slow =
      options.areStrangers && underMs > Math.max(LEAST_MS, TIMES_IDLE * idleMs)
        ? [`p99 ${underMs.toFixed(1)} ms, ${idleMs.toFixed(1)} ms without it`]
        : [];
    const found = [...measured.findings, ...slow, ...(beside?.findings ?? []), ...(beside?.result.findings ?? [])];
    findings.push(...found.map((finding) => `${name}: ${finding}`));
    probed += beside?.result.probes ?? 0;
    const answered = under.filter((ms) => ms < LATE_MS).length;
    const [refused, held, late] = counted;
    const line = `${name.padEnd(36)} p50 ${quantile(idle, 0.5).toFixed(2)} → ${quantile(under, 0.5).toFixed(2)} ms, p99 ${idleMs.toFixed(2)} → ${underMs.toFixed(2)} ms, answered ${answered}/${under.length}; refused ${refused}, held back ${held}, late ${late} ms; ${lineOf(beside?.result ?? null)}`;
    process.stderr.write(`${line}\n`);
    lines.push(line);
  }
  return { lines, findings, probes: probed };
};

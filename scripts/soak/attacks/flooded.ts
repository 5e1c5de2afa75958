/** Every flood in turn against one reflector: what an agent's echoes bear, and what probes say meanwhile. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startTarget } from '../target.js';
import { probeBeside } from './beside.js';
import { FLOODS } from './floods.js';
import { measureTrips } from './meter.js';
import type { AttackResult } from './report.js';

const FLOODER = fileURLToPath(new URL('./flooder.js', import.meta.url));
/** The flood is at its height by then. */
const RISE_MS = 500;
const METER_PORT = 3478;
/** What an agent may notice: five times what it waits without an attack, and never less than a scheduler's slice. */
const TIMES_IDLE = 5;
const LEAST_MS = 4;

interface FloodedOptions {
  readonly networks: number;
  readonly forMs: number;
  /** Only floods whose name has this in it. */
  readonly only?: string;
  readonly probes: boolean;
}

export const flooded = async ({ networks, forMs, only = '', probes }: FloodedOptions): Promise<AttackResult> => {
  const lines: string[] = [];
  const findings: string[] = [];
  let probed = 0;
  const core = availableParallelism() > 1 ? '1' : '0';
  for (const name of Object.keys(FLOODS).filter((one) => one.includes(only))) {
    const target = await startTarget(`127.${210 + (process.pid % 20)}.${process.pid % 250}.1`, { core });
    const flooder = fork(FLOODER, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    try {
      await measureTrips(target.address, METER_PORT, 500);
      const idle = await measureTrips(target.address, METER_PORT, forMs / 2);
      flooder.send({ name, address: target.address, tcp: 5060, udp: 5060, networks });
      await sleep(RISE_MS);
      const under = await measureTrips(target.address, METER_PORT, forMs);
      const refused = (await target.counter('callpath_reflector_refused_connections_total')) ?? 0;
      const held = (await target.counter('callpath_reflector_held_back_total')) ?? 0;
      const stop = new AbortController();
      const beside = probes
        ? await Promise.all([probeBeside(target.address, stop.signal), sleep(forMs).then(() => stop.abort())]).then(
            ([result]) => result,
          )
        : null;
      probed += beside?.probes ?? 0;
      findings.push(...(beside?.findings ?? []).map((finding) => `${name}: ${finding}`));
      const most = Math.max(LEAST_MS, TIMES_IDLE * idle.p99Ms);
      if (under.p99Ms > most)
        findings.push(`${name}: p99 ${under.p99Ms.toFixed(1)} ms, ${idle.p99Ms.toFixed(1)} ms without it`);
      const ended = target.ended();
      if (ended !== null) findings.push(`${name}: the reflector ${ended}`);
      const said = Object.entries(beside?.said ?? {}).map(([what, count]) => `${what} ${count}`);
      const line = `${name.padEnd(36)} p50 ${idle.p50Ms.toFixed(2)} → ${under.p50Ms.toFixed(2)} ms, p99 ${idle.p99Ms.toFixed(2)} → ${under.p99Ms.toFixed(2)} ms, answered ${under.answered}/${under.asked}; refused ${refused}, held back ${held}; ${said.join(', ')}`;
      process.stderr.write(`${line}\n`);
      lines.push(line);
    } finally {
      if (flooder.connected) flooder.disconnect();
      await sleep(200);
      flooder.kill('SIGKILL');
      await target.stop();
    }
  }
  return { lines, findings, probes: probed };
};

/**
 * `npm run bench -- media`: how punctual one process is with many streams at once, and what a stream measures beside irtt, over the same
 * relay at the same time. The relay adds delay and jitter by a seed; loss and round trip must be irtt's, jitter within a tenth.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, keyOf } from '../src/model/check.js';
import { packageRoot } from '../src/plan/package-root.js';
import { factsOf, type SentStreams, sendStreams } from '../src/run/media/send.js';
import { systemNet } from '../src/run/net.js';
import { createPath } from '../src/run/path.js';
import { createTimeline } from '../src/run/timeline.js';
import type { Tools } from '../src/run/tools.js';
import { directionsOf } from '../src/verdict/media/direction.js';
import { describe } from '../src/verdict/media/quality.js';
import { deriveKeys } from '../src/wire/keys.js';
import { startRelay } from '../test/lab/relay.js';

const SERVER = '127.0.0.2';
const RELAY = '127.0.0.3';
const IRTT = '/usr/bin/irtt';
const TOKEN = Buffer.from('a token for one measurement only');
/** The reflector's media ports, irtt's port beside them, and what else the reflector wants. */
const PORTS = { first: 22_100, count: 100, irtt: 22_400, tcp: 22_401, control: 22_402 } as const;
const SESSION_ID = new Uint8Array(8).fill(3);
const SPACING_MS = 20;
const STREAMS = 100;
const SECONDS = 20;
const READY_MS = 20_000;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const toolsOf = (): Tools => {
  const net = systemNet(1_000_000, null);
  let sequence = 0;
  const nobody = (): never => {
    throw new Error('a stream asks no probe');
  };
  return {
    ...{ net, path: createPath(), timeline: createTimeline(net.now), signal: new AbortController().signal },
    session: { id: SESSION_ID, keys: deriveKeys(TOKEN, SESSION_ID) },
    totals: { packetsSent: 0, bytesSent: 0, packetsReceived: 0 },
    ways: { inOrder: (all) => all, deaf: () => undefined, heard: () => undefined, heardOverUdp: () => [] },
    watch: { isPaused: false },
    probeOf: nobody,
    nextSequence: () => {
      sequence += 1;
      return sequence;
    },
  };
};

const checkAt = (address: string, port: number): Check => {
  const question = { probe: 'rtp-echo', transport: 'udp', port, address } as const;
  const id = `rtp-echo/udp/${port}`;
  const plain = { family: 4, host: address, requiredBy: [], isOfRange: false, natT: false } as const;
  return { ...question, ...plain, id, key: keyOf(question) };
};

const startReflector = async (folder: string): Promise<ChildProcess> => {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const last = PORTS.first + PORTS.count - 1;
  const ports = ['--udp', `${PORTS.first}-${last}`, '--tcp', `${PORTS.tcp}`, '--control-port', `${PORTS.control}`];
  const cli = join(packageRoot(), 'dist', 'src', 'cli', 'reflector.js');
  const child = spawn(process.execPath, [cli, '--listen', SERVER, ...ports, '--token-file', tokenFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ready = new Promise<void>((resolve) => {
    const hear = (chunk: Buffer): void => {
      if (chunk.includes('reflector ready')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
  await Promise.race([ready, sleep(READY_MS).then(() => Promise.reject(new Error('the reflector is not ready')))]);
  return child;
};

const punctuality = async (): Promise<void> => {
  const checks = Array.from({ length: STREAMS }, (_, index) => checkAt(SERVER, PORTS.first + (index % PORTS.count)));
  const before = process.cpuUsage();
  const began = performance.now();
  const options = { codec: 'g711', spacingMs: SPACING_MS, count: (SECONDS * 1000) / SPACING_MS } as const;
  const { streams } = await sendStreams(checks, options, toolsOf());
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - began) / 1000;
  const late = streams.flatMap(({ sent }) => sent.map((one) => one.sentAtMs - one.dueAtMs)).sort((a, b) => a - b);
  const p99 = late[Math.floor(0.99 * late.length)] ?? 0;
  const unheard = streams.flatMap(({ sent }) => sent.filter(({ heard }) => heard === 0)).length;
  print(
    `${STREAMS} streams at once: ${late.length} packets, ${unheard} without an answer, late by ${p99.toFixed(2)} ms (p99), ` +
      `${Math.round((user + system) / 1e4 / seconds)} % of a core  target 5 ms: ${p99 < 5 ? 'met' : 'missed'}`,
  );
};

interface IrttStats {
  readonly rtt: { readonly median: number };
  readonly ipdv_send: { readonly mean: number };
  readonly ipdv_receive: { readonly mean: number };
  readonly packets_sent: number;
  readonly packets_received: number;
}

/** All receipts of a relay that loses nothing. */
const allArrived = ({ streams }: SentStreams) => ({
  told: new Map(
    streams.flatMap(({ sent }) =>
      sent.map(({ sequence }) => [sequence, { arrived: 1, answered: 1, why: null }] as const),
    ),
  ),
});

const besideIrtt = async (folder: string): Promise<void> => {
  const server = spawn(IRTT, ['server', '-b', `${SERVER}:${PORTS.irtt}`], { stdio: 'ignore' });
  const impairment = { delay: 20, jitter: 15, loss: 0, duplicate: 0, reorder: 0 };
  const relay = await startRelay({ listen: RELAY, to: SERVER, ports: [PORTS.first, PORTS.irtt], seed: 5, impairment });
  try {
    await sleep(1000);
    const out = join(folder, 'irtt.json');
    const client = spawn(
      IRTT,
      ['client', '-i', `${SPACING_MS}ms`, '-d', `${SECONDS}s`, '-l', '172', '-Q', '-o', out, `${RELAY}:${PORTS.irtt}`],
      { stdio: 'ignore' },
    );
    const ended = once(client, 'exit');
    const options = { codec: 'g711', spacingMs: SPACING_MS, count: (SECONDS * 1000) / SPACING_MS } as const;
    const sending = await sendStreams([checkAt(RELAY, PORTS.first)], options, toolsOf());
    await ended;
    const { stats } = JSON.parse(readFileSync(out, 'utf8')) as { readonly stats: IrttStats };
    const [stream] = sending.streams;
    if (!stream) throw new Error('one check makes one stream');
    const { packets } = factsOf(sending, stream, allArrived(sending), SPACING_MS);
    const both = directionsOf(packets);
    const theirs = { outbound: stats.ipdv_send.mean / 1e6, inbound: stats.ipdv_receive.mean / 1e6 };
    for (const direction of ['outbound', 'inbound'] as const) {
      const sample = both?.[direction];
      if (!sample) continue;
      const told = describe({ port: 1, codec: 'g711', direction, sample, packets, isReceiverLate: false });
      const { jitterMs = 0, rttMs = 0 } = told?.quality ?? {};
      const ratio = jitterMs / theirs[direction];
      print(
        `${direction}: jitter ${jitterMs.toFixed(2)} ms, irtt ${theirs[direction].toFixed(2)} ms  target 10 %: ` +
          `${Math.abs(ratio - 1) <= 0.1 ? 'met' : 'missed'}; round trip ${rttMs.toFixed(2)} ms, irtt ` +
          `${(stats.rtt.median / 1e6).toFixed(2)} ms; lost ${told?.loss.lost ?? 0}, irtt ${stats.packets_sent - stats.packets_received}`,
      );
    }
  } finally {
    server.kill();
    await relay.close();
  }
};

/** Measures, prints, and leaves nothing behind. */
export const benchMedia = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-bench-media-'));
  const reflector = await startReflector(folder);
  try {
    await punctuality();
    if (existsSync(IRTT)) await besideIrtt(folder);
    else print('irtt is not installed (apt-get install irtt)');
  } finally {
    reflector.kill();
    rmSync(folder, { recursive: true, force: true });
  }
};

/**
 * The reflector's UDP answers beside those of the servers whose place it takes, over loopback, asked by one C program:
 * how many a second on one core, and what each costs the server in CPU time, which a busy machine distorts less.
 */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadProbe } from '../../probes/contract.js';
import { keyOf } from '../../src/model/check.js';
import type { AskedKind } from '../../src/model/kinds.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { irttRequests } from './irtt.js';
import {
  compileUdp,
  freePort,
  HOST,
  IRTT_KEY,
  LOAD_CORE,
  type Server,
  startOthers,
  startReflectorProcess,
  stopServers,
} from './servers.js';

/** More in flight and a receive buffer of the kernel's default size, 256 small packets, loses some. */
const WINDOW = 128;
/** Each is sent once, because a second time it would be a replay. */
const MESSAGES = 30_000;
const ROUNDS = 5;

const PROTOCOLS = ['udp-echo', 'rtp-echo', 'stun-binding', 'sip-options', 'ike-sa-init'] as const;
const OTHERS: Readonly<Record<string, AskedKind>> = {
  'c-echo': 'udp-echo',
  irtt: 'udp-echo',
  coturn: 'stun-binding',
  kamailio: 'sip-options',
};

export interface LoadResult {
  readonly protocol: AskedKind;
  readonly server: string;
  readonly answersPerSecond: number;
  readonly cpuMicros: number;
  /** Of all rounds; above zero the figures of this server are doubtful. */
  readonly lost: number;
}

/** A fresh session's requests, as the agent's own probe makes them. */
export const requests = async (kind: AskedKind, token: Uint8Array, count: number): Promise<readonly Uint8Array[]> => {
  const probe = await loadProbe(kind);
  const id = randomBytes(8);
  const keys = deriveKeys(token, id);
  const seed = randomBytes(32);
  const question = { probe: kind, transport: 'udp', port: 9, address: HOST } as const;
  const check = {
    ...question,
    key: keyOf(question),
    id: kind,
    family: 4,
    host: HOST,
    requiredBy: [],
    isOfRange: false,
    natT: false,
  } as const;
  return Array.from({ length: count }, (_, sequence) => {
    seed.writeUInt32BE(sequence);
    const { messages } = probe.ask({
      check,
      local: { address: HOST, port: 40_000 },
      session: { id, keys },
      sequence,
      seed: Uint8Array.from(seed),
      sentAtMicros: BigInt(Date.now()) * 1000n,
      binding: null,
    });
    return messages[0] ?? new Uint8Array(0);
  });
};

/** As udp.c reads them. */
export const writeMessages = (file: string, messages: readonly Uint8Array[]): string => {
  writeFileSync(file, Buffer.concat(messages.flatMap((bytes) => [Buffer.of(bytes.length >> 8, bytes.length), bytes])));
  return file;
};

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended while /proc was being read.
    return '';
  }
};

/** CPU time of a process group's threads so far, in microseconds (proc(5): field 5 of stat; first of schedstat, in ns). */
const cpuOf = (group: number): number =>
  readdirSync('/proc')
    .filter((name) => {
      const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : '';
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === group;
    })
    .flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`))
    .reduce((total, path) => total + Number(read(path).split(' ')[0]) / 1000, 0);

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Asks `server` all of a file once; how many answers a second, the CPU time of each, and what got lost. */
const ask = async (udp: string, server: Server, file: string, local = 0) => {
  const before = cpuOf(server.group);
  const { stdout } = await promisify(execFile)('taskset', [
    ...['-c', LOAD_CORE, udp, 'load'],
    ...[`${server.port}`, file, `${WINDOW}`, `${local}`],
  ]);
  const [sent = 0, answers = 0, milliseconds = 0] = stdout.split(' ').map(Number);
  if (answers === 0) throw new Error(`${server.name} does not answer`);
  return {
    rate: (answers * 1000) / milliseconds,
    cost: (cpuOf(server.group) - before) / answers,
    lost: sent - answers,
  };
};

/** irtt answers its own protocol only, and only the port that opened the test. */
const askIrtt = async (udp: string, server: Server, length: number, folder: string) => {
  const local = await freePort();
  const messages = await irttRequests({ port: server.port, local, key: IRTT_KEY }, length, MESSAGES);
  return ask(udp, server, writeMessages(join(folder, 'irtt'), messages), local);
};

/**
 * Loads every server in turn, several times over. Servers that are not installed are left out.
 * Without Linux or a C compiler it resolves with the reason as text.
 */
export const measureLoad = async (): Promise<readonly LoadResult[] | string> => {
  if (process.platform !== 'linux') return 'needs Linux';
  const folder = mkdtempSync(join(tmpdir(), 'callpath-bench-'));
  const token = Buffer.from(randomBytes(32).toString('base64url'));
  try {
    const udp = compileUdp(folder);
    if (udp === null) return 'needs a C compiler as cc';
    const port = await freePort();
    const reflector = await startReflectorProcess(folder, token, { udp: `${port}`, first: port });
    const others = await startOthers(folder, udp);
    const pairs = [
      ...PROTOCOLS.map((protocol) => ({ protocol, server: reflector })),
      ...others.map((server) => ({ protocol: OTHERS[server.name] ?? 'udp-echo', server })),
    ];
    const measured = new Map(pairs.map((pair) => [pair, [] as Awaited<ReturnType<typeof ask>>[]]));
    // Interleaved, and the first round warms up and does not count.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const protocol of PROTOCOLS) {
        const messages = await requests(protocol, token, MESSAGES);
        const file = writeMessages(join(folder, protocol), messages);
        for (const pair of pairs.filter((one) => one.protocol === protocol)) {
          const { server } = pair;
          const result = await (server.name === 'irtt'
            ? askIrtt(udp, server, messages[0]?.length ?? 0, folder)
            : ask(udp, server, file));
          if (round > 0) measured.get(pair)?.push(result);
        }
      }
    }
    return [...measured].map(([{ protocol, server }, results]) => ({
      protocol,
      server: server.name,
      answersPerSecond: median(results.map(({ rate }) => rate)),
      cpuMicros: median(results.map(({ cost }) => cost)),
      lost: results.reduce((sum, { lost }) => sum + lost, 0),
    }));
  } finally {
    stopServers();
    rmSync(folder, { recursive: true, force: true });
  }
};

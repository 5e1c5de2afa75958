/**
 * The reflector's UDP answers beside those of the servers whose place it takes, to the same bytes over loopback: how
 * many a second, and what each costs the server in CPU time, which a busy machine distorts less.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProbe } from '../probes/contract.js';
import { packageRoot } from '../src/engine/package-root.js';
import type { AskedKind } from '../src/model/check.js';
import { deriveKeys } from '../src/wire/keys.js';

const HOST = '127.0.0.1';
/** More in flight and the kernel's default receive buffer, 256 small packets, loses some on our own side. */
const WINDOW = 128;
/** Each may be sent 32 times before the reflector takes it for a replay. */
const MESSAGES = 20_000;
const ROUND_MS = 700;
const ROUNDS = 5;
/** A window whose answers got lost is opened again after this long. */
const STALL_MS = 50;
/** Linux counts CPU time in hundredths of a second (`getconf CLK_TCK`). */
const TICK_US = 10_000;
const READY_WITHIN_MS = 10_000;

interface Contender {
  readonly protocol: AskedKind;
  readonly server: string;
  readonly port: number;
  readonly group: number;
}

export interface LoadResult {
  readonly protocol: AskedKind;
  readonly server: string;
  readonly answersPerSecond: number;
  readonly cpuMicros: number;
}

const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
};

const requests = async (kind: AskedKind, token: Uint8Array): Promise<readonly Uint8Array[]> => {
  const probe = await loadProbe(kind);
  const id = randomBytes(8);
  const keys = deriveKeys(token, id);
  const check = {
    id: kind,
    probe: kind,
    transport: 'udp',
    port: 9,
    address: HOST,
    family: 4,
    host: HOST,
    requiredBy: [],
    rangeId: null,
    natT: false,
  } as const;
  return Array.from({ length: MESSAGES }, (_, sequence) => {
    const { messages } = probe.ask({
      check,
      local: { address: HOST, port: 40_000 },
      session: { id, keys },
      sequence,
      seed: randomBytes(32),
      sentAtMicros: BigInt(Date.now()) * 1000n,
      binding: null,
    });
    return messages[0] ?? new Uint8Array(0);
  });
};

/** CPU time of a process group so far, in microseconds (proc(5): fields 5, 14 and 15 of stat). */
const cpuOf = (group: number): number =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(fields[2]) === group ? (Number(fields[11]) + Number(fields[12])) * TICK_US : 0;
      } catch {
        return 0;
      }
    })
    .reduce((total, ticks) => total + ticks, 0);

/** Keeps a window of requests open for a while; resolves with how many answers came. */
const load = async (port: number, messages: readonly Uint8Array[], offset: number): Promise<number> => {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  socket.bind(0, HOST);
  await once(socket, 'listening');
  socket.setRecvBufferSize(1024 * 1024);
  let next = offset;
  let answers = 0;
  let lastAt = performance.now();
  let over = false;
  const send = (): void => {
    const message = messages[next % messages.length];
    next += 1;
    if (message && !over) socket.send(message, port, HOST);
  };
  socket.on('message', () => {
    answers += 1;
    lastAt = performance.now();
    send();
  });
  const reopen = setInterval(() => {
    if (performance.now() - lastAt < STALL_MS) return;
    for (let open = 0; open < WINDOW; open += 1) send();
  }, STALL_MS);
  for (let open = 0; open < WINDOW; open += 1) send();
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  over = true;
  clearInterval(reopen);
  socket.close();
  return answers;
};

const started: ChildProcess[] = [];

/** Starts a server in a process group of its own; resolves with the group when it has printed `ready`. */
const start = async (command: readonly string[], ready: string): Promise<number> => {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${program} is not ready:\n${said}`)), READY_WITHIN_MS);
    const hear = (chunk: Buffer): void => {
      said += chunk;
      if (!said.includes(ready)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}:\n${said}`)));
  });
  return child.pid ?? 0;
};

const kamailioConfig = (port: number): string => `#!KAMAILIO
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
listen=udp:${HOST}:${port}
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route { sl_send_reply("200", "OK"); }
`;

const startAll = async (folder: string, token: Uint8Array): Promise<readonly Contender[]> => {
  const [ours, stun, sip, control] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token);
  const reflector = await start(
    [
      process.execPath,
      join(packageRoot(), 'dist', 'src', 'cli', 'reflector.js'),
      ...['--listen', HOST, '--udp', `${ours}`, '--control-port', `${control}`, '--token-file', tokenFile],
    ],
    'reflector ready',
  );
  const contenders: Contender[] = (['stun-binding', 'sip-options', 'rtp-echo', 'ike-sa-init', 'udp-echo'] as const).map(
    (protocol) => ({ protocol, server: 'reflector', port: ours, group: reflector }),
  );
  if (existsSync('/usr/bin/turnserver')) {
    const options = ['-n', '-L', HOST, '-p', `${stun}`, '--no-cli', '--no-tls', '--no-dtls', '-S', '-l', 'stdout'];
    const group = await start(
      ['/usr/bin/turnserver', ...options, '--pidfile', join(folder, 'turn.pid')],
      'Total General servers',
    );
    contenders.push({ protocol: 'stun-binding', server: 'coturn', port: stun, group });
  }
  if (existsSync('/usr/sbin/kamailio')) {
    const file = join(folder, 'kamailio.cfg');
    writeFileSync(file, kamailioConfig(sip));
    const options = ['-f', file, '-DD', '-E', '-Y', folder, '-P', join(folder, 'kamailio.pid')];
    const group = await start(['/usr/sbin/kamailio', ...options], 'Listening on');
    contenders.push({ protocol: 'sip-options', server: 'kamailio', port: sip, group });
  }
  return contenders;
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Loads every server in turn, several times over. Linux only; servers that are not installed are left out. */
export const measureLoad = async (): Promise<readonly LoadResult[]> => {
  if (process.platform !== 'linux') return [];
  const folder = mkdtempSync(join(tmpdir(), 'callpath-bench-'));
  const token = Buffer.from(randomBytes(32).toString('base64url'));
  try {
    const contenders = await startAll(folder, token);
    const kinds = [...new Set(contenders.map(({ protocol }) => protocol))];
    const messages = new Map(
      await Promise.all(kinds.map(async (kind) => [kind, await requests(kind, token)] as const)),
    );
    const rates = new Map(contenders.map((one) => [one, [] as number[]]));
    const costs = new Map(contenders.map((one) => [one, [] as number[]]));
    // The first round warms up and does not count.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const contender of contenders) {
        const before = cpuOf(contender.group);
        const answers = await load(contender.port, messages.get(contender.protocol) ?? [], round * WINDOW);
        if (answers === 0) throw new Error(`${contender.server} does not answer ${contender.protocol}`);
        if (round === 0) continue;
        rates.get(contender)?.push((answers * 1000) / ROUND_MS);
        costs.get(contender)?.push((cpuOf(contender.group) - before) / answers);
      }
    }
    return contenders.map((contender) => ({
      protocol: contender.protocol,
      server: contender.server,
      answersPerSecond: median(rates.get(contender) ?? []),
      cpuMicros: median(costs.get(contender) ?? []),
    }));
  } finally {
    for (const child of started) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
};

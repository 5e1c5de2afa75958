/** The servers that are measured: the reflector and those whose place it takes, each held to one core. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';

export const HOST = '127.0.0.1';
/** The machine that this is made for has two cores: one for servers, one for who asks. */
const SERVER_CORE = '1';
export const LOAD_CORE = '0';
const READY_WITHIN_MS = 10_000;
export const IRTT_KEY = 'a key for irtt, and for this run only';

export interface Server {
  readonly name: string;
  readonly port: number;
  /** All its processes are in this process group. */
  readonly group: number;
}

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
};

const started: ChildProcess[] = [];

/** Ends every server with all of its processes. */
export const stopServers = (): void => {
  for (const { pid } of started.splice(0)) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
};

/** They have process groups of their own, so that nobody else ends them when the bench is interrupted. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopServers();
    process.exit(1);
  });
}

/** Certificates named in the environment are loaded at every start of Node and have nothing to do with us. */
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

/** Starts a server in a process group of its own, on its core; resolves when it has printed `ready`. */
const start = async (name: string, port: number, command: readonly string[], ready: string): Promise<Server> => {
  const args = ['-c', SERVER_CORE, ...command];
  const child = spawn('taskset', args, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} is not ready:\n${said}`)), READY_WITHIN_MS);
    const hear = (chunk: Buffer): void => {
      if (said.length < 100_000) said += chunk;
      if (!said.includes(ready)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}:\n${said}`)));
  });
  return { name, port, group: child.pid ?? 0 };
};

/** Compiles scripts/bench/udp.c into `folder`; null without a C compiler. */
export const compileUdp = (folder: string): string | null => {
  const program = join(folder, 'udp');
  const source = join(packageRoot(), 'scripts', 'bench', 'udp.c');
  return spawnSync('cc', ['-O2', '-o', program, source], { stdio: 'ignore' }).status === 0 ? program : null;
};

/** The reflector as its command starts it, on one UDP port and a control port. */
export const startReflectorProcess = async (
  folder: string,
  token: Uint8Array,
  ports: { readonly udp: string; readonly first: number },
  node: readonly string[] = [],
  more: readonly string[] = [],
): Promise<Server> => {
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const cli = join(packageRoot(), 'dist', 'src', 'cli', 'reflector.js');
  const options = ['--listen', HOST, '--udp', ports.udp, '--control-port', `${await freePort()}`];
  return start(
    'reflector',
    ports.first,
    [process.execPath, ...node, cli, ...options, '--token-file', tokenFile, ...more],
    'reflector ready',
  );
};

/** One worker, and the cheapest answer that it has. */
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

/** Those of the others that are installed. */
export const startOthers = async (folder: string, udp: string): Promise<readonly Server[]> => {
  const servers: Server[] = [];
  const [echo, irtt, stun, sip] = [await freePort(), await freePort(), await freePort(), await freePort()];
  servers.push(await start('c-echo', echo, [udp, 'echo', `${echo}`], 'ready'));
  if (existsSync('/usr/bin/irtt')) {
    const options = ['-i', '0', `--hmac=${IRTT_KEY}`];
    servers.push(
      await start('irtt', irtt, ['/usr/bin/irtt', 'server', '-b', `${HOST}:${irtt}`, ...options], 'starting'),
    );
  }
  if (existsSync('/usr/bin/turnserver')) {
    const options = ['-n', '-L', HOST, '-p', `${stun}`, '--no-cli', '--no-tls', '--no-dtls', '-S', '-l', 'stdout'];
    const command = ['/usr/bin/turnserver', ...options, '--pidfile', join(folder, 'turn.pid')];
    servers.push(await start('coturn', stun, command, 'Total General servers'));
  }
  if (existsSync('/usr/sbin/kamailio')) {
    const file = join(folder, 'kamailio.cfg');
    writeFileSync(file, kamailioConfig(sip));
    const options = ['-f', file, '-DD', '-E', '-Y', folder, '-P', join(folder, 'kamailio.pid')];
    servers.push(await start('kamailio', sip, ['/usr/sbin/kamailio', ...options], 'Listening on'));
  }
  return servers;
};

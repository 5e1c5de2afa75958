/** Processes inside a network's namespaces: started, awaited, read. They end with the network. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Network } from './network.js';
import type { Part, Place, Ready } from './part.js';
import type { Host } from './topology.js';

/** How often readiness is looked for; it is an event, so this is only the resolution. */
const LOOK_EVERY_MS = 5;
/** The slowest part (squid) takes one second, on a machine that does nothing else. */
const READY_WITHIN_MS = 20_000;
/** Lines of a log that are shown when its process failed. */
const TAIL_LINES = 8;

/** Node reads these and would behave otherwise than at a user's; the proxies are meant for this machine's own traffic. */
const NOT_INHERITED = /^(NODE_|TAP_|npm_|CALLPATH_|https?_proxy$|all_proxy$|no_proxy$)/i;

const cleanEnvironment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name))),
  ...more,
});

/** The package's own root in dist/, where `src/` and `test/` are side by side. */
export const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A compiled program of this package, to be run by this Node. */
export const ours = (path: string, ...args: readonly string[]): readonly string[] => [
  process.execPath,
  join(DIST, path),
  ...args,
];

const inNamespace = (network: Network, host: Host, command: readonly string[]): readonly string[] => [
  'netns',
  'exec',
  network.namespace(host),
  ...command,
];

const tail = (file: string): string => {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join(' | ');
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sockets in states that take packets: LISTEN of TCP (0A), and UDP's only one (07). Ports are hexadecimal. */
const boundPorts = (pid: number, transport: 'udp' | 'tcp'): ReadonlySet<number> => {
  const ports = new Set<number>();
  for (const family of ['', '6']) {
    const table = readFileSync(`/proc/${pid}/net/${transport}${family}`, 'utf8');
    for (const [, port, state] of table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ ([0-9A-F]{2})/gm)) {
      if (port !== undefined && state === (transport === 'tcp' ? '0A' : '07')) ports.add(Number.parseInt(port, 16));
    }
  }
  return ports;
};

const isReady = (ready: Ready, pid: number, log: string): boolean => {
  if ('log' in ready) return readFileSync(log, 'utf8').includes(ready.log);
  // Until `ip` has entered the namespace, the tables would be this machine's own.
  if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) return false;
  const all = (transport: 'udp' | 'tcp'): boolean => {
    const bound = boundPorts(pid, transport);
    return (ready[transport] ?? []).every((port) => bound.has(port));
  };
  return all('udp') && all('tcp');
};

export interface Running {
  readonly child: ChildProcess;
  readonly log: string;
}

/** Starts a process; it writes to a file and not to a pipe, so that it can outlive the lab (`--keep`). */
export const startProcess = async (
  network: Network,
  host: Host,
  name: string,
  command: readonly string[],
  ready: Ready,
  env: Readonly<Record<string, string>> = {},
): Promise<Running> => {
  const log = join(network.directory, `${name}.log`);
  const descriptor = openSync(log, 'w');
  const child = spawn('ip', inNamespace(network, host, command), {
    stdio: ['ignore', descriptor, descriptor],
    cwd: network.directory,
    env: cleanEnvironment({ HOME: network.directory, ...env }),
  });
  closeSync(descriptor);
  let failure: string | null = null;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code, signal) => {
    failure = `ended with ${signal ?? code}`;
  });
  const until = performance.now() + READY_WITHIN_MS;
  for (;;) {
    if (failure !== null) throw new Error(`${name} ${failure}: ${tail(log)}`);
    try {
      if (child.pid !== undefined && isReady(ready, child.pid, log)) break;
    } catch {
      // The process ended while it was looked at; `failure` will say so.
    }
    if (performance.now() > until)
      throw new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s: ${tail(log)}`);
    await pause(LOOK_EVERY_MS);
  }
  // It may go on for longer than we do.
  child.unref();
  return { child, log };
};

/** Starts a part of a scenario. @throws Error with the end of its log, if it does not come up */
export const startPart = async (network: Network, part: Part, place: Place): Promise<Running> => {
  const { command, ready, files, env } = part.start(place);
  for (const [name, content] of Object.entries(files ?? {})) writeFileSync(join(network.directory, name), content);
  return startProcess(network, part.host, part.name, command, ready, env);
};

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs a command in a namespace to its end, or kills it after `timeoutMs` or when its output matches `until`. */
export const runToEnd = (
  network: Network,
  host: Host,
  command: readonly string[],
  { timeoutMs, input = '', until }: { readonly timeoutMs: number; readonly input?: string; readonly until?: RegExp },
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn('ip', inNamespace(network, host, command), {
      cwd: network.directory,
      env: cleanEnvironment({ HOME: network.directory }),
    });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      if (until?.test(stdout)) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    // A command that ends without reading its input closes the pipe; that is its right.
    child.stdin.on('error', () => undefined).end(input);
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, stdout, stderr, timedOut });
    });
  });

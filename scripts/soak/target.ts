/** A real reflector process to be hard on: started as its command starts it, watched from outside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import { TOKEN } from '../../test/reflector/support.js';

export interface Target {
  readonly address: string;
  /** What it reads, now and when it is told to; certificate and key are there if it was given any. */
  readonly files: { readonly token: string; readonly cert: string; readonly key: string };
  readonly udp: readonly number[];
  readonly tcp: readonly number[];
  readonly pid: number | undefined;
  /** Resident memory in MiB, or null once the process is gone. */
  rss(): number | null;
  /** Files and sockets that are open, or null once the process is gone. */
  descriptors(): number | null;
  /** Of the metrics endpoint; null if it does not answer. */
  counter(name: string): Promise<number | null>;
  /** Lines of its log that are not about starting and stopping. */
  complaints(): readonly string[];
  /** Null while it runs. */
  ended(): string | null;
  stop(): Promise<void>;
}

/** Lines that are kept; a log that a stranger can fill is a finding by its count already. */
const MAX_LINES = 1000;
const READY_WITHIN_MS = 30_000;
/** One that is too busy to hear that it is to end has been attacked with success. */
const ENDED_WITHIN_MS = 5000;
/** In the order of what a reflector in the field has; below 1024 only with the right to bind them. */
const LOW_PORTS = '53,123,500';
const PORTS = '3478,4500,5060,5061,16384-18431';
const CONTROL_PORT = 8443;
const METRICS_PORT = 9464;
const REAL_TIME = ['chrt', '--rr', '1'];
const EXPECTED = new Set(['reflector ready', 'reflector stops']);

const expand = (list: string): readonly number[] =>
  list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });

interface TargetOptions {
  /** What its token file holds. */
  readonly tokens?: string;
  /** The one core that it may use, so that what it is asked from keeps the other. */
  readonly core?: string;
  /** Before all other processes, where that is allowed: as on a host of its own. */
  readonly isFirst?: boolean;
  /** A certificate and its key in PEM form; one of its own making without. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** Starts a reflector on an address of 127/8 that nobody else uses, so that its ports can be the real ones. Linux. */
export const startTarget = async (
  address: string,
  { tokens, core, isFirst = false, certificate }: TargetOptions = {},
): Promise<Target> => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-soak-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, tokens ?? TOKEN, { mode: 0o600 });
  const ports = process.getuid?.() === 0 ? `${LOW_PORTS},${PORTS}` : PORTS;
  const cli = join(packageRoot(), 'dist', 'src', 'cli', 'reflector.js');
  const options = ['--listen', address, '--udp', ports, '--tcp', '5060,5061', '--tls', '5061'];
  const places = ['--control-port', `${CONTROL_PORT}`, '--metrics', `${address}:${METRICS_PORT}`];
  const files = { token: tokenFile, cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const shown = certificate ? ['--cert', files.cert, '--key', files.key] : [];
  if (certificate) writeFileSync(files.cert, certificate.cert);
  if (certificate) writeFileSync(files.key, certificate.key, { mode: 0o600 });
  const node = [process.execPath, cli, ...options, ...places, '--token-file', tokenFile, ...shown];
  const before = isFirst && process.getuid?.() === 0 ? REAL_TIME : [];
  const [command = '', ...args] = [...before, ...(core === undefined ? [] : ['taskset', '-c', core]), ...node];
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let end: string | null = null;
  const closed = once(child, 'close').then(([code, signal]) => {
    end = `ended with ${signal ?? code}`;
  });
  const lines: string[] = [];
  let rest = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no reflector: ${lines.join('\n')}${rest}`)), READY_WITHIN_MS);
    child.stderr.on('data', (chunk: Buffer) => {
      const parts = `${rest}${chunk}`.split('\n');
      rest = parts.pop() ?? '';
      if (parts.some((line) => line.includes('reflector ready'))) {
        clearTimeout(timer);
        resolve();
      }
      if (lines.length < MAX_LINES) lines.push(...parts);
    });
  });
  const messageOf = (line: string): string => {
    try {
      return String((JSON.parse(line) as { msg?: unknown }).msg);
    } catch {
      return line;
    }
  };
  return {
    address,
    files,
    udp: expand(ports),
    tcp: [5060, 5061, CONTROL_PORT],
    pid: child.pid,
    rss: () => {
      try {
        const pages = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
        return pages === undefined ? null : Number(pages) / 1024;
      } catch {
        return null;
      }
    },
    descriptors: () => {
      try {
        return readdirSync(`/proc/${child.pid}/fd`).length;
      } catch {
        return null;
      }
    },
    counter: (name) =>
      new Promise((resolve) => {
        get({ host: address, port: METRICS_PORT, path: '/metrics', timeout: 5000 }, async (response) => {
          const text = String(Buffer.concat(await response.toArray()));
          const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
          resolve(value === undefined ? null : Number(value));
        }).on('error', () => resolve(null));
      }),
    complaints: () => lines.filter((line) => !EXPECTED.has(messageOf(line))),
    ended: () => end,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), ENDED_WITHIN_MS);
      await closed;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

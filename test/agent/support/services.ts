/** Real receivers for exporters: started on ports that they choose themselves, awaited, ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import type { Test } from 'tap';

/** Whoever ends what was begun: a test, or a script. */
export type Owner = Pick<Test, 'teardown'>;

/** Far more than any takes on a busy machine; who is not ready then has failed. */
const WITHIN_MS = 120_000;
/** How often is looked whether something has happened; the happening is what is waited for. */
const LOOK_EVERY_MS = 50;
const MAX_SAID = 64 * 1024;

/** Of loopback, and nobody else's: a port here stays free while nothing listens on it. */
export const APART = '127.7.7.7';

/** Where Debian installs them; not all of it is in everybody's PATH. */
const FOLDERS = ['/usr/bin', '/usr/sbin'];

export const programOf = (name: string): string | null =>
  FOLDERS.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;

/** A reason to skip for a test that needs these programs, or false. */
export const missing = (debianPackage: string, ...programs: readonly string[]): string | false =>
  programs.every((name) => programOf(name) !== null) && existsSync('/proc/self/net/tcp')
    ? false
    : `needs ${programs.join(', ')} (Debian: ${debianPackage})`;

export const folderFor = (t: Owner): string => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-exporters-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** Resolves with what `look` finds. @throws if it finds null for two minutes */
export const until = async <T>(what: string, look: () => T | null | Promise<T | null>): Promise<T> => {
  for (let waited = 0; waited <= WITHIN_MS; waited += LOOK_EVERY_MS) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`it did not happen: ${what}`);
};

export interface Service {
  readonly child: ChildProcess;
  /** What it has printed. */
  said(): string;
  /** Resolves with the number of the first port that it listens on. */
  port(transport: 'tcp' | 'udp', other?: readonly number[]): Promise<number>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Sockets of TCP in LISTEN (0A), of UDP in its only state (07), that belong to this process. Ports are hexadecimal. */
const portsOf = (pid: number, transport: 'tcp' | 'udp'): readonly number[] => {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  return ['', '6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${transport}${family}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === (transport === 'tcp' ? '0A' : '07') && own.has(inode))
      .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '0', 16)),
  );
};

/** Starts a program; it ends with the test at the latest. */
export const startService = (t: Owner, program: string, args: readonly string[], cwd: string): Service => {
  const child = spawn(programOf(program) ?? program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd });
  let said = '';
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-MAX_SAID);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (gone()) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  t.teardown(() => stop());
  return {
    child,
    said: () => said,
    port: (transport, other = []) =>
      until(`${program} listens`, () => {
        if (gone()) throw new Error(`${program} ended:\n${said}`);
        return portsOf(child.pid ?? 0, transport).find((port) => !other.includes(port)) ?? null;
      }),
    stop,
  };
};

export interface Certificate {
  readonly cert: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate that is its own authority, for a server on loopback; it and its key lie in `folder`. */
export const loopbackCertificate = async (folder: string, keyType: 'ec' | 'rsa' = 'ec'): Promise<Certificate> => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...(keyType === 'ec' ? { keyType, curve: 'P-256' } : { keyType, keySize: 2048 }),
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: APART },
        ],
      },
    ],
  });
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, made.cert);
  writeFileSync(keyFile, made.private, { mode: 0o600 });
  return { cert: made.cert, certFile, keyFile };
};

interface Uplink {
  /** `host:port`, the same while what is behind it comes and goes. */
  readonly at: string;
  leadTo(port: number): void;
  /** Ends all connections, and refuses those that come. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** A way to a receiver that can be cut. */
export const uplink = async (t: Owner): Promise<Uplink> => {
  let behind = 0;
  const sockets = new Set<Socket>();
  const hold = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((near) => {
    hold(near);
    const far = hold(connect(behind, '127.0.0.1'));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, APART);
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  t.teardown(cut);
  return {
    at: `${APART}:${port}`,
    leadTo: (there) => {
      behind = there;
    },
    cut,
    mend: () => listen(port),
  };
};

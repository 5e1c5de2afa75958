/** A network namespace in which all servers of this folder live, with their certificates and a resolv.conf of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALL_ADDRESSES, RESOLVERS } from './world.js';

const has = (program: string, ...args: readonly string[]): boolean => {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Why it cannot be made here, or false. */
export const namespaceMissing: string | false =
  process.getuid?.() === 0 && has('ip', '-V') && has('openssl', 'version') ? false : 'needs root, iproute2 and openssl';

const DAY_MS = 24 * 3600 * 1000;
const stamp = (days: number): string =>
  `${new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;

/** Certificates as servers have them, signed by an authority of the tests' own. */
const makeCertificates = (folder: string): void => {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '3650', '-subj', '/CN=Test CA');
  openssl('req', ...key, '-keyout', 'int.key', '-out', 'int.csr', '-subj', '/CN=Test Intermediate');
  const isCa = ['-addext', 'basicConstraints=CA:TRUE'];
  openssl('req', '-x509', ...key, ...isCa, '-keyout', 'other.key', '-out', 'other.pem', '-subj', '/CN=Nobody Knows CA');
  const sign = (name: string, dns: string, from: number, to: number, by = 'ca'): void => {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${dns}`);
    const config = [
      '[ca]\ndefault_ca=d\n[d]\ndir=.\ndatabase=./index.txt\nnew_certs_dir=.\nserial=./serial\ndefault_md=sha256',
      `policy=p\nx509_extensions=x\nunique_subject=no\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:${dns}\n`,
    ].join('\n');
    execFileSync('sh', ['-c', 'printf "%s" "$1" > ca.cnf; : > index.txt', 'sh', config], { cwd: folder });
    const dates = ['-startdate', stamp(from), '-enddate', stamp(to)];
    const signer = ['-cert', `${by}.pem`, '-keyfile', `${by}.key`];
    openssl(
      'ca',
      '-batch',
      '-rand_serial',
      '-config',
      'ca.cnf',
      ...signer,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
      ...dates,
      '-notext',
    );
  };
  sign('domain', 'carrier.example', -10, 1000);
  sign('expired', 'expired.example', -100, -2);
  sign('soon', 'soon.example', -10, 5);
  sign('wrong', 'other.example', -10, 1000);
  sign('wildcard', '*.example', -10, 1000);
  sign('noint', 'noint.example', -10, 1000, 'other');
  const self = ['-days', '1000', '-subj', '/CN=self.example', '-addext', 'subjectAltName=DNS:self.example'];
  openssl('req', '-x509', ...key, '-keyout', 'self.key', '-out', 'self.pem', ...self);
};

export interface Namespace {
  readonly name: string;
  readonly folder: string;
  /** Makes these the servers of resolv.conf, in this order. */
  readonly resolvers: (...addresses: readonly string[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Makes it and starts the servers. */
export const startNamespace = async (): Promise<Namespace> => {
  const name = `callpath-tp-${process.pid}`;
  const folder = await mkdtemp(join(tmpdir(), 'callpath-third-party-'));
  const etc = join('/etc/netns', name);
  const ip = (...args: readonly string[]): void => {
    execFileSync('ip', args, { stdio: 'ignore' });
  };
  let servers: ChildProcess | null = null;
  const stop = async (): Promise<void> => {
    if (servers && servers.exitCode === null) {
      const exit = once(servers, 'exit');
      servers.kill('SIGKILL');
      await exit;
    }
    ip('netns', 'del', name);
    await rm(etc, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  };
  const resolvers = async (...addresses: readonly string[]): Promise<void> => {
    await mkdir(etc, { recursive: true });
    const lines = addresses.map((address) => `nameserver ${address}`);
    await writeFile(join(etc, 'resolv.conf'), `search branch.example\n${lines.join('\n')}\n`);
  };
  makeCertificates(folder);
  await resolvers(RESOLVERS.good);
  ip('netns', 'add', name);
  try {
    ip('-n', name, 'link', 'set', 'lo', 'up');
    for (const address of ALL_ADDRESSES) ip('-n', name, 'addr', 'add', `${address}/32`, 'dev', 'lo');
    const script = fileURLToPath(new URL('./servers.js', import.meta.url));
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    servers = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', () => reject(new Error('the servers ended')));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, folder, resolvers, stop };
};

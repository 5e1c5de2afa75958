/** Kamailio, coturn and charon in one network namespace, where the ports of their protocols belong to nobody else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCredentials } from '../../../src/reflector/certificate.js';
import { charonMissing, startCharon } from '../../wire/support/charon.js';

const KAMAILIO = '/usr/sbin/kamailio';
const TURNSERVER = '/usr/bin/turnserver';
const READY_WITHIN_MS = 15_000;

const tlsModule = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64']
  .map((folder) => `${folder}/kamailio/modules/tls.so`)
  .find((file) => existsSync(file));

/** Why the peers cannot run here, or false if they can. */
export const peersMissing: string | false =
  charonMissing ||
  (existsSync(KAMAILIO) && tlsModule && existsSync(TURNSERVER)
    ? false
    : 'needs kamailio with its tls module and turnserver (Debian: kamailio, kamailio-tls-modules, coturn)');

/**
 * Answers OPTIONS over UDP, TCP and TLS, and nothing else. With its default of `tls_method` Kamailio 5.6 finds no
 * signature algorithm under OpenSSL 3.
 */
const kamailioConfig = (folder: string): string => `#!KAMAILIO
log_stderror=yes
fork=yes
children=1
enable_tls=1
listen=udp:127.0.0.1:5060
listen=tcp:127.0.0.1:5060
listen=tls:127.0.0.1:5061
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "private_key", "${folder}/key.pem")
modparam("tls", "certificate", "${folder}/cert.pem")
request_route {
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  sl_send_reply("405", "Method Not Allowed");
}
`;

const ended = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Starts a daemon and waits until it has printed `ready`. */
const startDaemon = async (command: readonly string[], ready: string): Promise<ChildProcess> => {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${program} is not ready:\n${said}`)), READY_WITHIN_MS);
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      if (!said.includes(ready)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`${program} ended:\n${said}`));
    });
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return child;
};

export interface Peers {
  /** What a command begins with to run beside them. */
  readonly prefix: readonly string[];
  readonly stop: () => Promise<void>;
}

/** Starts all three, on 127.0.0.1 of a new namespace that `stop` removes. */
export const startPeers = async (): Promise<Peers> => {
  const folder = await mkdtemp(join(tmpdir(), 'callpath-peers-'));
  const charon = await startCharon();
  const prefix = ['ip', 'netns', 'exec', charon.namespace];
  const daemons: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.filter((one) => !ended(one))) {
      const exit = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await exit;
    }
    await charon.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { cert, key } = await makeCredentials();
    await writeFile(join(folder, 'cert.pem'), cert);
    await writeFile(join(folder, 'key.pem'), key);
    await writeFile(join(folder, 'kamailio.cfg'), kamailioConfig(folder));
    const kamailio = [
      '-f',
      join(folder, 'kamailio.cfg'),
      '-DD',
      '-E',
      '-Y',
      folder,
      '-P',
      join(folder, 'kamailio.pid'),
    ];
    // `-n`: no configuration file; the addresses are two because RFC 5780 wants them.
    const addresses = ['-L', '127.0.0.1', '-L', '127.0.0.2'];
    const coturn = ['-n', ...addresses, '--no-cli', '--no-tls', '--no-dtls', '-S', '-l', 'stdout', '--pidfile'];
    daemons.push(await startDaemon([...prefix, KAMAILIO, ...kamailio], 'Listening on'));
    daemons.push(
      await startDaemon([...prefix, TURNSERVER, ...coturn, join(folder, 'coturn.pid')], 'Total General servers'),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { prefix, stop };
};

/** strongSwan's charon in a network namespace of its own: an IKE responder that we did not write. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CHARON = '/usr/lib/ipsec/charon';
const SWANCTL = '/usr/sbin/swanctl';
const READY = 'spawning 16 worker threads';
const READY_WITHIN_MS = 15_000;

/** Why charon cannot run here, or false if it can. */
export const charonMissing: string | false =
  process.getuid?.() === 0 && existsSync(CHARON) && existsSync(SWANCTL) && existsSync('/usr/sbin/ip')
    ? false
    : 'needs root, ip, charon and swanctl (Debian: iproute2, strongswan-charon, strongswan-swanctl)';

/** `cookie_threshold = 1`: one half-open IKE SA, and the next request must bring a cookie. */
const settings = (folder: string): string => `charon {
  load_modular = no
  load = random nonce x509 pubkey aes sha1 sha2 hmac kdf gmp openssl kernel-netlink socket-default vici
  install_routes = no
  cookie_threshold = 1
  plugins {
    vici {
      socket = unix://${folder}/vici
    }
  }
  filelog {
    stderr {
      default = 1
    }
  }
}
swanctl {
  load = random
}
`;

/** A connection that accepts anybody's IKE_SA_INIT if the key exchange is ECP-256. */
const CONNECTION = `connections {
  anybody {
    version = 2
    local_addrs = 127.0.0.1, ::1
    remote_addrs = %any
    proposals = aes256-sha256-ecp256
    local {
      auth = psk
    }
    remote {
      auth = psk
    }
  }
}
`;

interface Charon {
  readonly namespace: string;
  /** Everything it has said so far. */
  readonly log: () => string;
  /** From now on it accepts ECP-256. */
  readonly acceptEcp256: () => void;
  readonly stop: () => Promise<void>;
}

const untilReady = (child: ChildProcess, log: () => string): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`charon is not ready:\n${log()}`)), READY_WITHIN_MS);
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      outcome();
    };
    child.stderr?.on('data', () => {
      if (log().includes(READY)) settle(resolve);
    });
    child.once('exit', () => settle(() => reject(new Error(`charon ended:\n${log()}`))));
  });

/** Starts charon without any connection, in a new namespace that `stop` removes. */
export const startCharon = async (): Promise<Charon> => {
  const namespace = `callpath-ike-${process.pid}`;
  const folder = await mkdtemp(join(tmpdir(), 'callpath-ike-'));
  const conf = join(folder, 'strongswan.conf');
  const connection = join(folder, 'swanctl.conf');
  await writeFile(conf, settings(folder));
  await writeFile(connection, CONNECTION);
  const env = { ...process.env, STRONGSWAN_CONF: conf };

  execFileSync('ip', ['netns', 'add', namespace]);
  const removeAll = async (): Promise<void> => {
    execFileSync('ip', ['netns', 'del', namespace]);
    await rm(folder, { recursive: true, force: true });
  };
  let said = '';
  const log = (): string => said;
  let child: ChildProcess | null = null;
  const stop = async (): Promise<void> => {
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await removeAll();
  };
  try {
    execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    // charon's pid file has a fixed path; a /run of its own lets several run at a time. `ip netns exec` already gives
    // the process its own view of mounts.
    const shell = `mount -t tmpfs none /run && exec ${CHARON} --use-syslog`;
    child = spawn('ip', ['netns', 'exec', namespace, 'sh', '-c', shell], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await untilReady(child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  const acceptEcp256 = (): void => {
    execFileSync(SWANCTL, ['--load-conns', '--uri', `unix://${folder}/vici`, '--file', connection], {
      env,
      stdio: 'pipe',
    });
  };
  return { namespace, log, acceptEcp256, stop };
};

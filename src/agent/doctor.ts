/** What this host can and cannot measure, and why: looked up, with nothing sent to anybody. */
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { existsSync, readFileSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import type { Family } from '../model/check.js';
import { codeOf } from '../model/error-code.js';
import { socketError } from '../net/errno.js';
import { hasKernel, type KernelView, kernelView } from '../net/kernel/kernel.js';
import { descriptorLimit, SPARE_DESCRIPTORS } from '../net/limits.js';
import { localAddressFor } from '../net/local.js';
import { hostNetwork } from './memory/network.js';

/** `yes`: it can · `limited`: it can, and results mean less, as said · `no`: it cannot. */
type Ability = 'yes' | 'limited' | 'no';

export interface Finding {
  readonly what: string;
  readonly ability: Ability;
  readonly why: string;
}

/** Global unicast documentation addresses (RFC 5737, RFC 3849): routes are looked up, nothing is sent. */
const FAR = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;
/** Sockets that a sweep has open at once. */
const SWEEP_SOCKETS = 512;
/** A window of 128 answers of 1,500 bytes; smaller buffers lose answers on this very host. */
const WANTED_BUFFER = 208 * 1024;
/** The spool's default ceiling. */
const WANTED_DISK = 256 * 1024 * 1024;

const text = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
};

/** Whether a UDP port can be bound; it is closed again at once. */
const canBind = (port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code ?? 'unknown error');
    });
    socket.bind(port, () => {
      socket.close();
      resolve(null);
    });
  });

const receiveBuffer = (): Promise<number> =>
  new Promise((resolve) => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: WANTED_BUFFER });
    const finish = (size: number): void => {
      socket.close();
      resolve(size);
    };
    socket.on('error', () => finish(0));
    socket.bind(0, () => finish(socket.getRecvBufferSize()));
  });

const routeFinding = async (family: Family): Promise<Finding> => {
  const local = await localAddressFor(FAR[family], family);
  return local === null
    ? {
        what: `IPv${family}`,
        ability: 'no',
        why: 'this host has no route to the internet over it; checks that need it are skipped',
      }
    : { what: `IPv${family}`, ability: 'yes', why: `packets leave from ${local}` };
};

/** In a container of its own network, the container's NAT and not the branch's is what packets meet first. */
export const containerFinding = (): Finding => {
  const what = 'this site as phones see it';
  const inside =
    existsSync('/.dockerenv') ||
    existsSync('/run/.containerenv') ||
    /docker|containerd|kubepods|lxc/.test(text('/proc/1/cgroup') ?? '');
  if (!inside)
    return { what, ability: 'yes', why: 'not in a container; run the agent in the VLAN where the phones are' };
  const ownNetwork = hostNetwork().addresses.some((entry) => {
    const [device = ''] = entry.split(' ');
    const [index, link] = ['ifindex', 'iflink'].map((name) => text(`/sys/class/net/${device}/${name}`)?.trim());
    // One end of a veth pair: its other end is on the host's bridge, behind the host's NAT.
    return index !== undefined && link !== undefined && index !== link;
  });
  return ownNetwork
    ? {
        what,
        ability: 'no',
        why: "this container has a network of its own: the container's NAT would be measured; start it with --network host",
      }
    : { what, ability: 'yes', why: "in a container that shares its host's network" };
};

const tunnelFinding = (): Finding => {
  const { tunnels } = hostNetwork();
  return tunnels.length === 0
    ? { what: 'the direct path', ability: 'yes', why: 'no tunnel is up' }
    : {
        what: 'the direct path',
        ability: 'limited',
        why: `${tunnels.join(', ')} is up: if the default route goes through it, the probe measures the tunnel's far end`,
      };
};

const portFinding = async (): Promise<Finding> => {
  const failed = await canBind(500);
  const what = 'source ports below 1024';
  if (failed === null) return { what, ability: 'yes', why: 'IKE can be tested from port 500, as gateways do' };
  const why = failed === 'EADDRINUSE' ? 'port 500 is in use by a program here' : 'the process may not bind them';
  return { what, ability: 'limited', why: `${why}: IKE is tested from another port, as clients behind a NAT use` };
};

const sipPortFinding = async (): Promise<Finding> => {
  const failed = await canBind(5060);
  const what = 'source port 5060';
  return failed === null
    ? { what, ability: 'yes', why: 'an ALG that triggers on the source port is detected' }
    : {
        what,
        ability: 'limited',
        why: `cannot be bound (${failed}): an ALG that triggers on the source port may go undetected`,
      };
};

/** Whether a socket of our own opens, marks and closes: a sandbox may forbid what the library could do. */
const tryKernel = (view: KernelView): string | null => {
  if (!hasKernel(view)) return view.why;
  try {
    const nobody = { address: '127.0.0.1', port: 9, family: 4 } as const;
    view.openFlow(nobody, { message: () => undefined, error: () => undefined }).close();
    return null;
  } catch (error) {
    const { code, syscall } = socketError(error);
    return `the system refuses it (${syscall}: ${code})`;
  }
};

/** What the kernel shows beyond Node's sockets; `view` is how it is had, and stands here for tests. */
export const kernelFindings = (view: KernelView): readonly Finding[] => {
  const why = tryKernel(view);
  const rejections = 'ICMP refusals';
  const marks = 'DSCP marks and hop limits';
  if (why === null) {
    return [
      { what: rejections, ability: 'yes', why: 'every kind is told apart, and the address that sent it is named' },
      { what: marks, ability: 'yes', why: 'they can be set, and read of what arrives' },
    ];
  }
  const told =
    process.platform === 'linux'
      ? 'port, host and admin-prohibited are told apart from silence; net-unreachable and the refusing router are not'
      : 'only port-unreachable is told apart from silence';
  return [
    { what: rejections, ability: 'limited', why: `${told}: ${why}` },
    { what: marks, ability: 'no', why },
  ];
};

const descriptorFinding = (): Finding => {
  const limit = descriptorLimit();
  const what = 'many ports at once';
  if (limit === null || limit - SPARE_DESCRIPTORS >= SWEEP_SOCKETS)
    return { what, ability: 'yes', why: `${limit ?? 'no known'} limit of open files` };
  return {
    what,
    ability: 'limited',
    why: `at most ${limit} open files: sweeps take longer; raise it (LimitNOFILE, ulimit -n)`,
  };
};

const bufferFinding = async (): Promise<Finding> => {
  const granted = await receiveBuffer();
  const what = 'bursts of answers';
  return granted >= WANTED_BUFFER
    ? { what, ability: 'yes', why: `receive buffer of ${Math.round(granted / 1024)} KiB` }
    : {
        what,
        ability: 'limited',
        why: `receive buffer of ${Math.round(granted / 1024)} KiB: fast sweeps may lose answers here; raise net.core.rmem_max`,
      };
};

const nameFinding = (): Finding => {
  const servers = getServers();
  return servers.length > 0
    ? { what: 'names', ability: 'yes', why: `resolved by ${servers.slice(0, 3).join(', ')}` }
    : { what: 'names', ability: 'no', why: 'no resolver is configured; use addresses' };
};

const clockFinding = (): Finding => {
  const what = 'times of results';
  if (process.platform !== 'linux')
    return { what, ability: 'limited', why: 'whether NTP keeps the clock is unknown on this system' };
  return existsSync('/run/systemd/timesync/synchronized')
    ? { what, ability: 'yes', why: 'NTP keeps the clock' }
    : {
        what,
        ability: 'limited',
        why: 'no sign that NTP keeps the clock; intervals are right, timestamps may be wrong',
      };
};

const stateFinding = async (folder: string): Promise<Finding> => {
  const what = 'results over restarts';
  try {
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    return free >= WANTED_DISK
      ? { what, ability: 'yes', why: `${folder} has ${Math.round(free / 1024 / 1024)} MB free` }
      : {
          what,
          ability: 'limited',
          why: `${folder} has only ${Math.round(free / 1024 / 1024)} MB free; lower spool.maxMegabytes or make room`,
        };
  } catch (error) {
    const code = codeOf(error);
    const why =
      code === 'ENOENT'
        ? 'does not exist yet; the daemon makes it'
        : `cannot be written (${code}); results would be kept in memory only`;
    return { what, ability: code === 'ENOENT' ? 'limited' : 'no', why: `${folder} ${why}` };
  }
};

/** Everything that can be said without asking anybody. */
export const examine = async (stateDirectory: string): Promise<readonly Finding[]> => [
  await routeFinding(4),
  await routeFinding(6),
  containerFinding(),
  tunnelFinding(),
  nameFinding(),
  await portFinding(),
  await sipPortFinding(),
  ...kernelFindings(await kernelView()),
  descriptorFinding(),
  await bufferFinding(),
  clockFinding(),
  await stateFinding(stateDirectory),
];

/** Network namespaces: made in milliseconds, named after their owner, and gone when the owner is. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, type TopologyName, topology } from './topology.js';

const NAMESPACES = '/run/netns';
/** `ip netns exec NAME` mounts what is in /etc/netns/NAME over /etc. */
const ETC_NAMESPACES = '/etc/netns';
/** Everything of this lab begins with it, so that a sweep touches nobody else's. */
const PREFIX = 'cp';
/** `cp<pid>s<start time of the process>n<count>-<host>`; kept ones have `keep` in the count's place. */
const NAME = /^cp(?<pid>\d+)s(?<start>[0-9a-z]+)(?<count>n\d+|keep\d+)(?:-[a-z]+)?$/;

/** What makes a host a firewall. */
const FORWARDING = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
/** Duplicate address detection would keep IPv6 from working for the first second. */
const IPV6_AT_ONCE = ['net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.accept_dad=0'];
/** The kernel holds back all but one ICMP error a second; then some rejections are drops and the truth is not exact. */
const EVERY_ICMP_ERROR = ['net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0'];

/** A process id alone comes back one day; with its start time it is unique until the next boot. */
const startTime = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22; the second field is a name in parentheses that may itself hold spaces.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]).toString(36);
  } catch {
    return null;
  }
};

/** Runs a command to its end. @throws Error with what it said on stderr */
const command = (file: string, args: readonly string[], input: string): void => {
  try {
    execFileSync(file, args, { input, stdio: ['pipe', 'ignore', 'pipe'] });
  } catch (cause) {
    const { stderr } = cause as { stderr?: Buffer };
    throw new Error(`${file} ${args.join(' ')}: ${stderr?.toString().trim() || String(cause)}`, { cause });
  }
};

/** Kills every process inside a namespace, whoever started it there. */
const killInside = (namespace: string): void => {
  let inode: number;
  try {
    inode = statSync(join(NAMESPACES, namespace)).ino;
  } catch {
    return;
  }
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readlinkSync(`/proc/${pid}/ns/net`) === `net:[${inode}]`) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended in the meantime.
    }
  }
};

const remove = (namespaces: readonly string[]): void => {
  if (namespaces.length === 0) return;
  for (const namespace of namespaces) {
    killInside(namespace);
    rmSync(join(ETC_NAMESPACES, namespace), { recursive: true, force: true });
  }
  try {
    rmdirSync(ETC_NAMESPACES);
  } catch {
    // Not there, or somebody else's are in it.
  }
  // -force goes on after an error, so that one namespace which is already gone does not keep the others.
  command('ip', ['-force', '-batch', '-'], namespaces.map((namespace) => `netns del ${namespace}\n`).join(''));
};

const present = (directory: string): readonly string[] => (existsSync(directory) ? readdirSync(directory) : []);

/**
 * Removes what labs left behind that were killed before they could tidy up; with `kept` also what was kept on purpose.
 * @returns how many namespaces went
 */
export const sweep = ({ kept }: { readonly kept: boolean }): number => {
  const stale = (name: string): boolean => {
    const groups = NAME.exec(name)?.groups;
    if (!groups) return false;
    if (groups.count?.startsWith('keep')) return kept;
    return startTime(Number(groups.pid)) !== groups.start;
  };
  const namespaces = [...new Set([...present(NAMESPACES), ...present(ETC_NAMESPACES)])].filter(stale);
  remove(namespaces);
  for (const directory of present(tmpdir())) {
    const name = /^callpath-lab-(.+)$/.exec(directory)?.[1];
    if (name !== undefined && stale(name)) rmSync(join(tmpdir(), directory), { recursive: true, force: true });
  }
  return namespaces.length;
};

export interface Network {
  /** The namespace of a host, for `ip netns exec`. */
  readonly namespace: (host: Host) => string;
  readonly hosts: readonly Host[];
  /** Files of this network's processes: configuration, logs. Goes with it. */
  readonly directory: string;
  /** Ends all processes inside and removes everything; does nothing the second time. */
  readonly close: () => void;
}

interface NetworkOptions {
  readonly topology: TopologyName;
  /** nft text for `fw`. */
  readonly rules: string;
  readonly sysctl: Readonly<Record<string, string>>;
  /** The branch asks the resolver at this address, or whatever this machine asks. */
  readonly resolver: string | null;
  /** Leaves it up, also beyond this process. */
  readonly keep: boolean;
}

let made = 0;
const open = new Set<Network>();

// Whatever ends this process, short of SIGKILL, the networks go with it; `sweep` is for SIGKILL.
process.on('exit', () => {
  for (const network of open) network.close();
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => process.exit(code));
}

/** Builds a network. @throws Error with the complaint of `ip` or `nft`, and nothing is left */
export const createNetwork = (options: NetworkOptions): Network => {
  made += 1;
  const count = options.keep ? `keep${made}` : `n${made}`;
  const run = `${PREFIX}${process.pid}s${startTime(process.pid)}${count}`;
  const { hosts, links, addresses, rules } = topology(options.topology);
  const namespace = (host: Host): string => `${run}-${host}`;
  const directory = join(tmpdir(), `callpath-lab-${run}`);
  const network: Network = {
    namespace,
    hosts,
    directory,
    close: () => {
      if (!open.delete(network)) return;
      remove(hosts.map(namespace));
      rmSync(directory, { recursive: true, force: true });
    },
  };
  open.add(network);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    if (options.resolver !== null) {
      mkdirSync(join(ETC_NAMESPACES, namespace('branch')), { recursive: true });
      const text = `nameserver ${options.resolver}\n`;
      writeFileSync(join(ETC_NAMESPACES, namespace('branch'), 'resolv.conf'), text);
    }
    const within = (host: Host, words: readonly string[], input = ''): void => {
      command('ip', ['netns', 'exec', namespace(host), ...words], input);
    };
    command('ip', ['-batch', '-'], hosts.map((host) => `netns add ${namespace(host)}\n`).join(''));
    for (const host of hosts) within(host, ['sysctl', '-qw', ...IPV6_AT_ONCE]);
    const linkLines = links.map(([a, here, b, there]) => {
      const peer = `peer name ${there} netns ${namespace(b)}`;
      return `link add ${here} netns ${namespace(a)} type veth ${peer}\n`;
    });
    command('ip', ['-batch', '-'], linkLines.join(''));
    const batch = (host: Host, lines: readonly string[]): void => {
      command('ip', ['-n', namespace(host), '-batch', '-'], [...lines, ''].join('\n'));
    };
    // All links first: IPv6 addresses of a link whose other end is down stay useless for a second after that is up.
    for (const host of hosts) {
      const own = links.flatMap(([a, here, b, there]) => [
        ...(a === host ? [here] : []),
        ...(b === host ? [there] : []),
      ]);
      batch(
        host,
        ['lo', ...own].map((device) => `link set ${device} up`),
      );
    }
    for (const host of hosts) {
      batch(host, addresses[host] ?? []);
      if (host === 'branch') continue;
      const text = `${rules[host] ?? ''}${host === 'fw' ? options.rules : ''}`;
      if (text !== '') within(host, ['nft', '-f', '-'], text);
      const settings = [
        ...EVERY_ICMP_ERROR,
        ...(host === 'wan' ? [] : FORWARDING),
        ...(host === 'fw' ? Object.entries(options.sysctl).map(([key, value]) => `${key}=${value}`) : []),
      ];
      // After the rules: conntrack's settings appear with the first rule that uses it.
      within(host, ['sysctl', '-qw', ...settings]);
    }
    return network;
  } catch (error) {
    network.close();
    throw error;
  }
};

/** From now on the network outlives this process. */
export const leaveUp = (network: Network): void => {
  open.delete(network);
};

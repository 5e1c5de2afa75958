/**
 * `npm run bench -- sweep`: every port of a range asked through the lab's firewall, unpaced, beside nmap and a bare
 * sender in C, with what each cost and what each got wrong. Needs root, nftables, gcc and nmap.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../src/model/report.js';
import { packageRoot } from '../src/plan/package-root.js';
import { createNetwork, type Network } from '../test/lab/network.js';
import { reflector } from '../test/lab/parts.js';
import { type Finished, ours, runToEnd, startPart, startProcess } from '../test/lab/processes.js';
import { type Draw, draw, rulesOf, truthOf } from '../test/lab/tools/random.js';
import { ADDRESS } from '../test/lab/topology.js';

const RANGE = [16_384, 32_767] as const;
const [FIRST, LAST] = RANGE;
/** The range and nothing else, as the others are asked. */
const PROFILE = join(packageRoot(), 'fixtures', 'profiles', 'media-only.yaml');
/** Longer than anybody waits for a scan of one host's media ports. */
const TIMEOUT_MS = 60_000;
const ROUNDS = 3;
/** As often as the sweep asks a port before it calls it silent on a path without loss. */
const FLOOR_TRIES = 4;

interface Firewall {
  readonly name: string;
  readonly drawn: Draw;
}

const firewall = (name: string, holes: Draw['holes'], lossPercent = 0): Firewall => ({
  name,
  drawn: { seed: 0, lossPercent, range: RANGE, holes },
});
const whole = { from: FIRST, to: LAST, parity: null } as const;
/** A seed with holes of several widths in both directions. */
const HOLES_SEED = 8;
const FIREWALLS: readonly Firewall[] = [
  firewall('all passing', []),
  firewall('all dropped', [{ ...whole, kind: 'dropped-outbound' }]),
  firewall('all closed', [{ ...whole, kind: 'rejected' }]),
  firewall('random holes, 5 % loss each way', draw(HOLES_SEED, 5, RANGE).holes, 5),
];

interface Contender {
  readonly name: string;
  /** Firewalls on which it takes minutes: there it is tried once, to the timeout. */
  readonly tooSlowOn: readonly string[];
  readonly command: (network: Network, tokenFile: string) => readonly string[];
  readonly openPorts: (finished: Finished) => ReadonlySet<number>;
}

const nmapPorts = ({ stdout }: Finished): ReadonlySet<number> =>
  new Set([...stdout.matchAll(/portid="(\d+)"><state state="open"/g)].map(([, port]) => Number(port)));
const nmap =
  (...more: readonly string[]) =>
  (): readonly string[] => [
    ...['nmap', '-sU', '-n', '-Pn', '-oX', '-', '-p', RANGE.join('-')],
    ...more,
    ADDRESS.second,
  ];
const probePorts = ({ stdout }: Finished): ReadonlySet<number> => {
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Report;
  const open = new Set<number>();
  for (const { probe, verdict, from, to, step } of report.ranges) {
    if (!probe.endsWith('-echo') || (verdict !== 'pass' && verdict !== 'degraded')) continue;
    for (let port = from; port <= to; port += step) open.add(port);
  }
  return open;
};

const contenders = (floor: string): readonly Contender[] => [
  {
    name: 'C, bare',
    tooSlowOn: [],
    command: () => [floor, 'ask', ADDRESS.second, ...RANGE.map(String), `${FLOOR_TRIES}`],
    openPorts: ({ stdout }) => new Set(stdout.trim().split('\n').map(Number)),
  },
  {
    name: 'probe --exhaustive',
    tooSlowOn: [],
    command: (_network, tokenFile) =>
      ours(
        'src/cli/probe.js',
        ...['--target', ADDRESS.target, '--token-file', tokenFile, '--json', '--exhaustive', '--no-nat'],
        ...['--profile', PROFILE, '--rtp-range', RANGE.join('-'), '--max-pps', '1000000'],
      ),
    openPorts: probePorts,
  },
  {
    name: 'nmap -sU, tuned',
    tooSlowOn: [],
    command: nmap('--min-rate', '5000', '--max-retries', '2'),
    openPorts: nmapPorts,
  },
  {
    name: 'nmap -sU',
    tooSlowOn: ['all dropped', 'all closed', 'random holes, 5 % loss each way'],
    command: nmap(),
    openPorts: nmapPorts,
  },
];

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const inside = (network: Network, ...command: readonly string[]): string =>
  execFileSync('ip', ['netns', 'exec', network.namespace('fw'), ...command], {
    encoding: 'utf8',
    // conntrack tells its version there.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
/** What came into the firewall from the branch. */
const packets = (network: Network): number =>
  Number(inside(network, 'cat', '/sys/class/net/lan0/statistics/rx_packets'));

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

interface Measured {
  readonly ms: number;
  readonly cpuMs: number;
  readonly megabytes: number;
  readonly packets: number;
  readonly errors: number;
}

const measure = async (
  network: Network,
  floor: string,
  tokenFile: string,
  one: Contender,
  truth: ReadonlySet<number>,
): Promise<Measured | string> => {
  // What those before have left in the firewall's table would fill it, and a full one drops packets.
  inside(network, 'conntrack', '-F');
  const before = packets(network);
  const finished = await runToEnd(network, 'branch', [floor, 'run', ...one.command(network, tokenFile)], {
    timeoutMs: TIMEOUT_MS,
  });
  const used = /used (\d+) (\d+) (\d+)/.exec(finished.stderr);
  if (finished.timedOut || !used) return finished.timedOut ? `> ${TIMEOUT_MS / 1000} s` : finished.stderr.slice(-200);
  const open = one.openPorts(finished);
  let errors = 0;
  for (let port = FIRST; port <= LAST; port += 1) if (open.has(port) !== truth.has(port)) errors += 1;
  return {
    ms: Number(used[1]),
    cpuMs: Number(used[2]),
    megabytes: Number(used[3]) / 1024,
    packets: packets(network) - before,
    errors,
  };
};

const row = (name: string, results: readonly Measured[]): string => {
  const of = (value: (one: Measured) => number): number => median(results.map(value));
  const worst = Math.max(...results.map(({ errors }) => errors));
  return [
    `  ${name.padEnd(20)}`,
    `${(of(({ ms }) => ms) / 1000).toFixed(2)} s`.padStart(9),
    `${(of(({ cpuMs }) => cpuMs) / 1000).toFixed(2)} s`.padStart(9),
    `${of(({ megabytes }) => megabytes).toFixed(0)} MB`.padStart(8),
    `${of((one) => one.packets)}`.padStart(9),
    `${worst}`.padStart(8),
  ].join('');
};

/** Runs the comparison, a few minutes, and prints it. */
export const benchSweep = async (): Promise<void> => {
  const network = createNetwork({ topology: 'masquerade', rules: '', sysctl: {}, resolver: null, keep: false });
  try {
    const floor = join(network.directory, 'floor');
    execFileSync('cc', ['-O2', '-o', floor, join(packageRoot(), 'scripts', 'bench-floor.c')]);
    const tokenFile = join(network.directory, 'token');
    writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    await startPart(network, reflector(), {
      directory: network.directory,
      tokenFile,
      certificate: () => {
        throw new Error('the reflector makes its own certificate');
      },
    });
    await startProcess(network, 'wan', 'echo', [floor, 'echo', ADDRESS.second, ...RANGE.map(String)], { log: 'ready' });
    for (const { name, drawn } of FIREWALLS) {
      const rules = `table inet filter\ndelete table inet filter\n${rulesOf(drawn)}`;
      await runToEnd(network, 'fw', ['nft', '-f', '-'], { timeoutMs: TIMEOUT_MS, input: rules });
      const truth = new Set<number>();
      for (let port = FIRST; port <= LAST; port += 1) if (truthOf(drawn, port) === 'open') truth.add(port);
      print(`\n${LAST - FIRST + 1} ports, ${name} (median of ${ROUNDS}; errors: most of all)`);
      print(
        `  ${''.padEnd(20)}${'wall'.padStart(9)}${'CPU'.padStart(9)}${'peak'.padStart(8)}${'packets'.padStart(9)}${'errors'.padStart(8)}`,
      );
      const all = contenders(floor);
      const results = new Map<string, Measured[]>(all.map((one) => [one.name, []]));
      const failures = new Map<string, string>();
      // Interleaved, so that a machine that changes its pace does so for all.
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const one of all.filter(({ tooSlowOn }) => round === 0 || !tooSlowOn.includes(name))) {
          const measured = await measure(network, floor, tokenFile, one, truth);
          if (typeof measured === 'string') failures.set(one.name, measured);
          else results.get(one.name)?.push(measured);
        }
      }
      for (const one of all) {
        const own = results.get(one.name) ?? [];
        print(own.length > 0 ? row(one.name, own) : `  ${one.name.padEnd(20)}  ${failures.get(one.name) ?? ''}`);
      }
      inside(network, 'conntrack', '-F');
      const command = ours('src/cli/probe.js', '--target', ADDRESS.target, '--token-file', tokenFile, '--json');
      await runToEnd(network, 'branch', command, { timeoutMs: TIMEOUT_MS });
      const entries = inside(network, 'cat', '/proc/sys/net/netfilter/nf_conntrack_count').trim();
      print(`  a default run adds ${entries} conntrack entries (target: at most 1000)`);
    }
  } finally {
    network.close();
  }
};

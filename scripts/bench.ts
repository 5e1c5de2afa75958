/**
 * `npm run bench`: what the commands cost, as ratios against Node itself and against the servers whose place the
 * reflector takes, measured side by side in one run. The machines that this runs on are noisy: believe ratios and
 * medians, not single figures.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../src/plan/package-root.js';
import { benchLoad } from './bench/report.js';

if (process.argv[2] === 'sweep') {
  const { benchSweep } = await import('./bench-sweep.js');
  await benchSweep();
  process.exit();
}

if (process.argv[2] === 'media') {
  const { benchMedia } = await import('./bench-media.js');
  await benchMedia();
  process.exit();
}

const PROBE = join(packageRoot(), 'dist', 'src', 'cli', 'probe.js');
const ROUNDS = 21;
/** A demo takes as long as all the others together, and most of it is waiting. */
const DEMO_ROUNDS = 5;

interface Contender {
  readonly name: string;
  readonly args: readonly string[];
  /** The most that it may cost, as a multiple of the first contender; null where there is no target. */
  readonly target: number | null;
}

const CONTENDERS: readonly Contender[] = [
  { name: 'node -e 0', args: ['-e', '0'], target: null },
  { name: 'probe --version', args: [PROBE, '--version'], target: 1.5 },
  { name: 'probe --help', args: [PROBE, '--help'], target: null },
  { name: 'probe --dry-run', args: [PROBE, '--target', '127.0.0.1', '--dry-run'], target: 4 },
  { name: 'probe explain', args: [PROBE, 'explain', 'dropped'], target: null },
];
const DEMO: Contender = { name: 'probe demo', args: [PROBE, 'demo'], target: null };

/** Certificates named in the environment are loaded at every start of Node and have nothing to do with us. */
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

const milliseconds = (args: readonly string[]): number => {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [...args], { env, stdio: 'ignore' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with code ${status}`);
  return performance.now() - started;
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

// Interleaved, so that a machine that changes its pace in between does so for all, and each time in another order, so
// that nobody always comes after the same one.
const times = new Map([...CONTENDERS, DEMO].map(({ name }) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round += 1) {
  const first = round % CONTENDERS.length;
  for (const { name, args } of [...CONTENDERS.slice(first), ...CONTENDERS.slice(0, first)]) {
    times.get(name)?.push(milliseconds(args));
  }
}
for (let round = 0; round < DEMO_ROUNDS; round += 1) times.get(DEMO.name)?.push(milliseconds(DEMO.args));

const base = median(times.get('node -e 0') ?? []);
print(`whole process, median of ${ROUNDS} interleaved runs (demo: of ${DEMO_ROUNDS})`);
for (const { name, target } of [...CONTENDERS, DEMO]) {
  const measured = median(times.get(name) ?? []);
  const ratio = measured / base;
  const verdict = target === null ? '' : `  target ${target} x: ${ratio <= target ? 'met' : 'missed'}`;
  print(`${name.padEnd(18)}${measured.toFixed(0).padStart(6)} ms${ratio.toFixed(2).padStart(8)} x${verdict}`);
}

await benchLoad(print);

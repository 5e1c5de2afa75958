/**
 * `npm run bench`: what the command line costs, as ratios against Node itself, measured side by side in one run. The
 * machines that this runs on are noisy: believe ratios and medians, not single figures.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../src/engine/package-root.js';

const PROBE = join(packageRoot(), 'dist', 'src', 'cli', 'probe.js');
const ROUNDS = 21;

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
  { name: 'probe demo', args: [PROBE, 'demo'], target: null },
];

/** Certificates named in the environment are loaded at every start of Node and have nothing to do with us. */
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

const milliseconds = (args: readonly string[]): number => {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [...args], { env, stdio: 'ignore' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with code ${status}`);
  return performance.now() - started;
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

// Interleaved, so that a machine that changes its pace in between does so for all.
const times = new Map(CONTENDERS.map(({ name }) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const { name, args } of CONTENDERS) times.get(name)?.push(milliseconds(args));
}
const base = median(times.get('node -e 0') ?? []);
process.stdout.write(`median of ${ROUNDS} interleaved runs, whole process\n`);
for (const { name, target } of CONTENDERS) {
  const measured = median(times.get(name) ?? []);
  const ratio = measured / base;
  const verdict = target === null ? '' : `  target ${target} x: ${ratio <= target ? 'met' : 'missed'}`;
  process.stdout.write(
    `${name.padEnd(18)}${measured.toFixed(0).padStart(6)} ms${ratio.toFixed(2).padStart(8)} x${verdict}\n`,
  );
}

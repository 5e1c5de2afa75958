/** Random firewalls, one after the other in one network: loads the rules, probes in both modes, compares. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../../src/model/report.js';
import { packageRoot } from '../../../src/plan/package-root.js';
import { createNetwork, type Network } from '../network.js';
import { reflector } from '../parts.js';
import { ours, runToEnd, startPart } from '../processes.js';
import { ADDRESS } from '../topology.js';
import { type Draw, draw, type Errors, exhaustiveErrors, LOSSES, rulesOf, sampledErrors } from './random.js';

interface RandomOptions {
  readonly draws: number;
  readonly seed: number;
  readonly range: readonly [from: number, to: number];
  readonly maxPps: number;
  readonly onDraw: (line: string) => void;
}

interface RandomResult {
  readonly wrong: readonly string[];
  readonly inexact: readonly string[];
}

/** Nothing but the range: what else a run asks has scenarios of its own. */
const PROFILE = join(packageRoot(), 'fixtures', 'profiles', 'media-only.yaml');
const PROBE_TIMEOUT_MS = 180_000;

const load = async (network: Network, rules: string): Promise<void> => {
  const { exitCode, stderr } = await runToEnd(network, 'fw', ['nft', '-f', '-'], {
    timeoutMs: PROBE_TIMEOUT_MS,
    input: `table inet filter\ndelete table inet filter\n${rules}`,
  });
  if (exitCode !== 0) throw new Error(`nft: ${stderr}`);
};

const probe = async (
  network: Network,
  tokenFile: string,
  { range, maxPps }: RandomOptions,
  more: readonly string[],
): Promise<Report> => {
  const command = ours(
    'src/cli/probe.js',
    ...['--target', ADDRESS.target, '--json', '--token-file', tokenFile, '--profile', PROFILE],
    ...['--rtp-range', range.join('-'), '--max-pps', `${maxPps}`, '--timeout', '150', '--media', '0', ...more],
  );
  const { stdout, stderr, exitCode } = await runToEnd(network, 'branch', command, { timeoutMs: PROBE_TIMEOUT_MS });
  if (stdout === '') throw new Error(`the probe ended with ${exitCode}: ${stderr.slice(0, 500)}`);
  return JSON.parse(stdout) as Report;
};

const describe = ({ seed, lossPercent, holes }: Draw): string =>
  `seed ${seed}, loss ${lossPercent} %: ${holes
    .map(({ from, to, parity, kind }) => `${from}-${to}${parity === null ? '' : parity ? ':odd' : ':even'} ${kind}`)
    .join(', ')}`;

/** Draws firewalls from `seed` on, `seed + 1` and so forth, and asks the product about each in both modes. */
export const runRandom = async (options: RandomOptions): Promise<RandomResult> => {
  const network = createNetwork({ topology: 'masquerade', rules: '', sysctl: {}, resolver: null, keep: false });
  const tokenFile = join(network.directory, 'token');
  writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  const part = reflector({ args: ['--udp', `5060,3478,${options.range.join('-')}`] });
  const wrong: string[] = [];
  const inexact: string[] = [];
  try {
    await startPart(network, part, {
      directory: network.directory,
      tokenFile,
      certificate: () => {
        throw new Error('the reflector makes its own certificate');
      },
    });
    for (let index = 0; index < options.draws; index += 1) {
      const seed = options.seed + index;
      const drawn = draw(seed, LOSSES[seed % LOSSES.length] ?? 0, options.range);
      await load(network, rulesOf(drawn));
      const told: string[] = [];
      const take = (mode: string, errors: Errors, report: Report): void => {
        const name = `seed ${drawn.seed} loss ${drawn.lossPercent} % ${mode}`;
        wrong.push(...errors.wrong.map((line) => `${name}: ${line}`));
        inexact.push(...errors.inexact.map((line) => `${name}: ${line}`));
        const { packetsSent } = report.totals;
        told.push(
          `${mode} ${(report.durationMs / 1000).toFixed(1)} s ${packetsSent} packets, ${errors.wrong.length} wrong, ${errors.inexact.length} inexact`,
        );
      };
      const all = await probe(network, tokenFile, options, ['--exhaustive']);
      take('exhaustive', exhaustiveErrors(drawn, all), all);
      const sample = await probe(network, tokenFile, options, []);
      take('default', sampledErrors(drawn, sample), sample);
      options.onDraw(`${describe(drawn)}\n  ${told.join('; ')}`);
    }
    return { wrong, inexact };
  } finally {
    network.close();
  }
};

/** Runs the compiled commands as a user would, and collects what they print. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

const BIN = join(packageRoot(), 'dist', 'src', 'cli');

/** A command line that runs one of the bins, behind a prefix such as `ip netns exec NAME`. */
export const commandLine = (
  bin: 'probe' | 'reflector' | 'callpath',
  args: readonly string[],
  prefix: readonly string[] = [],
): string[] => [...prefix, process.execPath, join(BIN, `${bin}.js`), ...args];

/** Runs to the end; `during` may send signals. */
export const run = (
  [command = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv = {},
  during: (kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
        seconds: (performance.now() - started) / 1000,
      }),
    );
    during((signal) => child.kill(signal));
  });

export const probe = (
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
  during?: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Finished> => run(commandLine('probe', args), env, during);

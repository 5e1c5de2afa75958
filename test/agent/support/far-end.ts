/** A reflector process of the agent's tests, on an address of 127/8 that nobody else uses, so that ports are the real ones. Linux. */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/plan/package-root.js';

export interface FarEnd {
  readonly address: string;
  readonly tokenFile: string;
  stop(): Promise<void>;
}

/** Another one than other test runs on this machine are likely to have. */
const someAddress = (): string => `127.${randomInt(64, 250)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;

/**
 * @param args its ports, as its command takes them; those of its default profiles without any
 * @param again the address of one that has ended, and the token of this one
 */
export const startFarEnd = async (
  folder: string,
  args: readonly string[] = [],
  { address = someAddress(), token = 'correct-horse-battery-staple' } = {},
): Promise<FarEnd> => {
  const tokenFile = join(folder, `far-end.${token.slice(0, 7)}.token`);
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const cli = join(packageRoot(), 'dist', 'src', 'cli', 'reflector.js');
  const child = spawn(process.execPath, [cli, '--listen', address, '--token-file', tokenFile, ...args], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(child, 'close');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    closed.then(() => reject(new Error(`no reflector: ${log}`)), reject);
    child.stderr.on('data', (chunk: Buffer) => {
      // Once it is ready, what it says is of no interest here, and must not fill the pipe.
      if (log !== 'ready') log += chunk;
      if (!log.includes('reflector ready')) return;
      log = 'ready';
      resolve();
    });
  });
  return {
    address,
    tokenFile,
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
    },
  };
};

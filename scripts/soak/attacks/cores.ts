/** Who runs where: what is attacked has a core of its own, and all others share the other one. */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const hasTwo = availableParallelism() > 1;
export const TARGET_CORE = hasTwo ? '1' : '0';
const OTHERS_CORE = '0';

/** A command that runs beside what is attacked. */
export const besideCommand = (script: string, args: readonly string[]): readonly [string, readonly string[]] => [
  'taskset',
  ['-c', OTHERS_CORE, process.execPath, script, ...args],
];

/** For who needs hardly any time, and that at once. */
const REAL_TIME = ['chrt', '--rr', '1'];

/**
 * A process of a script in this folder, with a channel to it.
 * @param isFirst before all other processes, where that is allowed
 */
export const forkBeside = (name: string, isFirst = false): ChildProcess => {
  const before = isFirst && process.getuid?.() === 0 ? REAL_TIME : [];
  const [execPath, ...execArgv] = [...before, 'taskset', '-c', OTHERS_CORE, process.execPath];
  return fork(fileURLToPath(new URL(name, import.meta.url)), [], {
    execPath,
    execArgv,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // A session of its own, which Linux gives its share of a core by itself.
    detached: true,
  });
};

/**
 * Linux divides a core between sessions first, and only then between their processes: this one's comes before the others.
 */
export const comeFirst = (): void => {
  try {
    writeFileSync('/proc/self/autogroup', '-19');
  } catch {
    // Not root, or a system that divides by processes alone.
  }
};

/** A machine that has something else to do: processes that only compute, for as long as the lab runs. */
import { spawn } from 'node:child_process';

/** Starts so many; they end when the returned function is called, or with this process. */
export const keepBusy = (loops: number): (() => void) => {
  const children = Array.from({ length: loops }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', stop);
  return stop;
};

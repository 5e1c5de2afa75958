/** What both commands share: how they begin, and how they end. */
import { UserError } from '../model/user-error.js';

export const EXIT = { ok: 0, trouble: 1, usage: 2, unmeasured: 3, interrupted: 130 } as const;

/** Whether a command line asks for the version, in any of the ways that people write it. */
export const asksForVersion = ([first, ...others]: readonly string[]): boolean =>
  first === '-V' || first === 'version' || [first, ...others].includes('--version');

/** Resolves when all that was written to a stream before has been handed to the system. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.write('', () => resolve());
  });

/**
 * Runs a command and ends the process with its exit code. A `UserError` is one line; anything else is a defect of ours
 * and is shown whole. The end is forced, once everything is written, so that nothing that was given up holds the process.
 */
export const main = async (name: string, command: () => Promise<number>): Promise<void> => {
  // A reader that has seen enough (`probe … | head`) is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  try {
    process.exitCode = await command();
  } catch (error) {
    if (error instanceof UserError) process.stderr.write(`${name}: ${error.message}\n`);
    else
      process.stderr.write(`${name}: a defect in callpath, please report it:\n${(error as Error)?.stack ?? error}\n`);
    process.exitCode = error instanceof UserError ? EXIT.usage : EXIT.unmeasured;
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit();
};

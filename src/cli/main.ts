/** What both commands share: how they begin, and how they end. */
import { UserError } from '../model/user-error.js';

export const EXIT = { ok: 0, trouble: 1, usage: 2, unmeasured: 3, interrupted: 130 } as const;

/** Columns of a terminal: COLUMNS, where somebody set it, before what the terminal says; 80 where nobody does. */
export const columnsOf = (stream: { readonly columns?: number }, env: NodeJS.ProcessEnv): number => {
  const wanted = Number(env.COLUMNS);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : (stream.columns ?? 80);
};

/** What a monitoring plugin says of itself where it could not even begin: UNKNOWN (Monitoring Plugins guidelines). */
const NAGIOS_UNKNOWN = 3;
const isPlugin = (argv: readonly string[]): boolean =>
  argv.some((word, index) =>
    word === '-o' || word === '--output' ? argv[index + 1] === 'nagios' : /^(?:-o|--output)=?nagios$/.test(word),
  );

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
    if (error instanceof UserError && isPlugin(process.argv)) {
      // Plugins are read from stdout.
      process.stdout.write(`CALLPATH UNKNOWN - ${error.message}\n`);
    } else if (error instanceof UserError) process.stderr.write(`${name}: ${error.message}\n`);
    else
      process.stderr.write(`${name}: a defect in callpath, please report it:\n${(error as Error)?.stack ?? error}\n`);
    const isUsage = error instanceof UserError && !isPlugin(process.argv);
    process.exitCode = isUsage ? EXIT.usage : NAGIOS_UNKNOWN;
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit();
};

/** The question for the version, answered before anything else is loaded. */
import { createRequire } from 'node:module';

/** `import` of node:fs would evaluate its promises and streams as well: a tenth of the time that Node needs to start. */
const require = createRequire(import.meta.url);

const STDOUT = 1;

/** Whether a command line asks for the version, in any of the ways that people write it. */
const asksForVersion = ([first, ...others]: readonly string[]): boolean =>
  first === '-V' || first === 'version' || [first, ...others].includes('--version');

/** Prints the version where a command line asks for it. @returns whether it did */
export const answersVersion = (argv: readonly string[]): boolean => {
  if (!asksForVersion(argv)) return false;
  const { version } = require('../../../package.json') as { readonly version: string };
  const text = `${version}\n`;
  try {
    // To the descriptor itself: Node's stream takes as long again to set up.
    (require('node:fs') as typeof import('node:fs')).writeSync(STDOUT, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A pipe that is full just now: the stream waits for it.
    if (code === 'EAGAIN') process.stdout.write(text);
    // A reader that has gone (`callpath --version | true`) is no error of ours.
    else if (code !== 'EPIPE') throw error;
  }
  return true;
};

/**
 * Tokens and certificates change while the reflector runs: customers come and go, certificates last ninety days. The
 * files are looked at again on SIGHUP, and when they change.
 */
import { unwatchFile, watchFile } from 'node:fs';
import type { Logger } from 'pino';
import { UserError } from '../model/user-error.js';

/** Files are polled, because a notification is lost when a file is replaced by another of its name. */
const LOOK_EVERY_MS = 5000;

interface Reloading {
  close(): void;
}

/**
 * Calls `reload` on SIGHUP and after a change of one of the files. A file that is wrong is said, and changes nothing.
 * @param reload resolves with what was taken over, for the log
 */
export const reloadOnChange = (
  files: readonly string[],
  reload: () => Promise<Readonly<Record<string, unknown>>>,
  log: Logger,
): Reloading => {
  let running: Promise<void> = Promise.resolve();
  const again = (): void => {
    running = running.then(async () => {
      try {
        log.info(await reload(), 'reloaded');
      } catch (error) {
        // Whatever it is, what runs goes on as it is.
        const why = error instanceof UserError ? error.message : `a defect in callpath, please report it: ${error}`;
        log.warn(`nothing was reloaded: ${why}`);
      }
    });
  };
  for (const file of files) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, again);
  process.on('SIGHUP', again);
  return {
    close: () => {
      for (const file of files) unwatchFile(file, again);
      process.off('SIGHUP', again);
    },
  };
};

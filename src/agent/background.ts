/** Work that nobody waits for, but that the end has to wait for. */
import type { Logger } from 'pino';

export interface Background {
  add(work: Promise<unknown>): void;
  /** Resolves when all that was added so far has ended. */
  ended(): Promise<void>;
}

/** Of work that fails a line is logged: whatever may fail in it says so itself, so that only a defect comes here. */
export const createBackground = (log: Pick<Logger, 'error'>): Background => {
  const running = new Set<Promise<unknown>>();
  return {
    add: (work) => {
      const noted = work
        .catch((error: unknown) => log.error({ error: String(error) }, 'a defect in callpath, please report it'))
        .finally(() => running.delete(noted));
      running.add(noted);
    },
    ended: async () => {
      await Promise.all(running);
    },
  };
};

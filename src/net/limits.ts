/** How many sockets this process may open: the hard limit, because Node raises its own soft one to it. */
import { readFileSync } from 'node:fs';

/** Kept for what is not a socket of ours: logs, files, the event loop, modules still to be loaded. */
export const SPARE_DESCRIPTORS = 64;

/** The hard limit of open files, or null where it cannot be known (not Linux) or there is none. */
export const descriptorLimit = (): number | null => {
  try {
    const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    const limit = Number(line?.[1]);
    return Number.isInteger(limit) ? limit : null;
  } catch {
    return null;
  }
};

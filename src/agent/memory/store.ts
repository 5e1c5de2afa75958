/** The memory on disk: one file, replaced atomically, so that a crash leaves the old one or the new one. */
import { open, readFile, rename } from 'node:fs/promises';
import { isMap } from '../../model/schema-words.js';
import type { HostNetwork } from './network.js';
import type { TargetMemory } from './tracker.js';

const FORMAT = 'callpath.memory/1';

/** All that the agent remembers over restarts. */
export interface Memory {
  readonly format: typeof FORMAT;
  readonly network: HostNetwork | null;
  readonly targets: Readonly<Record<string, TargetMemory>>;
  /** When each schedule was last due, in wall-clock milliseconds: what was missed since is said. */
  readonly lastDue: Readonly<Record<string, number>>;
  /** Packets sent since the start of the current day (UTC), for the daily budget. */
  readonly spent: { readonly day: string; readonly packets: number };
}

const EMPTY_MEMORY: Memory = {
  format: FORMAT,
  network: null,
  targets: {},
  lastDue: {},
  spent: { day: '', packets: 0 },
};

/** What was found: `damaged` and `absent` both begin anew, but the first is worth a word. */
interface MemoryReading {
  readonly memory: Memory;
  readonly found: 'read' | 'absent' | 'damaged';
}

const isWatched = (value: unknown): boolean =>
  value === undefined || (isMap(value) && Object.values(value).every((one) => isMap(one) && Array.isArray(one.ports)));

const isMemory = (value: unknown): value is Memory => {
  if (!isMap(value) || value.format !== FORMAT || !isMap(value.targets) || !isMap(value.lastDue) || !isMap(value.spent))
    return false;
  return Object.values(value.targets).every(
    (target) =>
      isMap(target) &&
      isMap(target.subjects) &&
      isMap(target.told) &&
      isMap(target.seenAt) &&
      isWatched(target.watched),
  );
};

/** Reads the memory. Never rejects: what cannot be read is no memory. */
export const readMemory = async (file: string): Promise<MemoryReading> => {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isMemory(value) ? { memory: value, found: 'read' } : { memory: EMPTY_MEMORY, found: 'damaged' };
  } catch (error) {
    return { memory: EMPTY_MEMORY, found: (error as { code?: string }).code === 'ENOENT' ? 'absent' : 'damaged' };
  }
};

/** Stores the memory. @throws if the disk does not take it; the old one is still there then */
export const writeMemory = async (file: string, memory: Memory): Promise<void> => {
  const handle = await open(`${file}.new`, 'w', 0o640);
  try {
    await handle.writeFile(JSON.stringify(memory));
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
};

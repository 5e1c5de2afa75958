/** How far each exporter has come: one small file each, replaced atomically. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from './line.js';

/** Longer than any of ours. */
const MAX_POSITION_BYTES = 256;

interface Positions {
  get(exporter: string): number;
  lowest(): number;
  highest(): number;
  /** Remembers a position, and stores it. @throws if it could not be stored; it is remembered all the same */
  advance(exporter: string, seq: number): Promise<void>;
}

/** A digit that changed would skip results without a word. */
const checksum = (seq: string): string => crc32(Buffer.from(seq)).toString(16).padStart(8, '0');

const readPosition = async (file: string): Promise<number | 'absent' | 'damaged'> => {
  try {
    const text = await readFile(file, 'utf8');
    const [, seq = '', crc] = /^(\d{1,15}) ([0-9a-f]{8})\n$/.exec(text.slice(0, MAX_POSITION_BYTES)) ?? [];
    return crc !== undefined && crc === checksum(seq) ? Number(seq) : 'damaged';
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT' ? 'absent' : 'damaged';
  }
};

/**
 * Reads the positions of these exporters. One that is missing or damaged begins with the oldest record: receivers
 * drop what they know by its id, and nothing is skipped.
 */
export const openPositions = async (
  folder: string,
  exporters: readonly string[],
  say: (message: string) => void,
): Promise<Positions> => {
  await mkdir(folder, { recursive: true, mode: 0o750 }).catch(() => undefined);
  const fileOf = (exporter: string): string => join(folder, `${exporter}.position`);
  const positions = new Map<string, number>();
  for (const exporter of exporters) {
    const found = await readPosition(fileOf(exporter));
    if (found === 'damaged')
      say(`the position of exporter ${exporter} is unreadable: it begins again with the oldest result`);
    positions.set(exporter, typeof found === 'number' ? found : 0);
  }
  const values = (): readonly number[] => [...positions.values()];
  return {
    get: (exporter) => positions.get(exporter) ?? 0,
    lowest: () => Math.min(...values()),
    highest: () => Math.max(0, ...values()),
    advance: async (exporter, seq) => {
      positions.set(exporter, seq);
      const file = fileOf(exporter);
      const openNew = () => open(`${file}.new`, 'w', 0o640);
      const handle = await openNew().catch(async (error: unknown) => {
        // Somebody removed the folder while we run.
        if ((error as { code?: string }).code !== 'ENOENT') throw error;
        await mkdir(folder, { recursive: true, mode: 0o750 });
        return openNew();
      });
      try {
        await handle.writeFile(`${seq} ${checksum(String(seq))}\n`);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(`${file}.new`, file);
    },
  };
};

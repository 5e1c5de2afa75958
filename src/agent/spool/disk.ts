/** Puts records on a disk that may be full, fail, or lose its folder while the agent runs. */
import { mkdir, readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { codeOf } from '../../model/error-code.js';
import type { SpoolRecord } from '../exporters/contract.js';
import { type Appender, FOLDER_GONE, type SegmentFiles } from './appender.js';
import type { Dropping } from './dropping.js';
import type { Lane } from './retention.js';

/** Tries on a full disk, each after dropping something. */
const MAX_TRIES = 4;
const FULL = new Set(['ENOSPC', 'EDQUOT']);

interface DiskOptions {
  readonly folder: string;
  /** What is freed at a time. */
  readonly segmentBytes: number;
  readonly appender: Appender;
  readonly dropping: Dropping;
  /** How many records wait in memory. */
  readonly held: () => number;
  readonly say: (message: string, details?: Readonly<Record<string, unknown>>) => void;
}

interface Disk {
  /**
   * On a full disk what everybody has taken goes first; what somebody has yet to take only where memory has no room either.
   * Resolves with whether the record is on disk.
   */
  store(record: SpoolRecord, lane: Lane, memoryIsFull?: boolean): Promise<boolean>;
  /** Why the disk takes nothing, or null. */
  failing(): string | null;
}

/** @param files what somebody else removed leaves it */
export const createDisk = (options: DiskOptions, files: SegmentFiles): Disk => {
  const { folder, segmentBytes, appender, dropping, held, say } = options;
  let failing: string | null = null;

  /** Somebody removed the folder, or files in it, while we wrote there. */
  const makeAnew = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o750 }).catch(() => undefined);
    const there = new Set(await readdir(folder).catch(() => []));
    const gone = files.segments.filter(({ file, bytes }) => bytes > 0 && !there.has(basename(file)));
    files.segments = files.segments.filter(({ file }) => there.has(basename(file)));
    for (const { lane, seqs } of gone) dropping.count(lane, seqs);
    say('files of the spool were removed while the agent runs; it goes on with new ones', {
      folder,
      files: gone.length,
    });
  };

  return {
    failing: () => failing,
    store: async (record, lane, memoryIsFull = false) => {
      for (let attempt = 1; attempt <= MAX_TRIES; attempt += 1) {
        try {
          await appender.store(record, lane);
          if (failing !== null) say('the disk takes results again', { held: held() });
          failing = null;
          return true;
        } catch (error) {
          await appender.undo(lane);
          const code = codeOf(error);
          if (code === FOLDER_GONE || code === 'ENOENT') {
            await makeAnew();
            if (attempt < MAX_TRIES) continue;
          }
          if (failing !== code) say('the disk does not take results; they are kept in memory', { error: code, folder });
          failing = code;
          if (!FULL.has(code) || (await dropping.drop(segmentBytes, memoryIsFull ? lane : null)) === 0) return false;
        }
      }
      return false;
    },
  };
};

/**
 * `file`: one line of JSON per record (NDJSON), for whatever reads files. Written and synced before it counts as
 * delivered; rotated by size; no line twice, even if the agent was killed between writing and remembering it.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import * as v from 'valibot';
import { map } from '../../model/schema-words.js';
import { UserError } from '../../model/user-error.js';
import type { Exporter, SpoolRecord } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { labelled } from './labels.js';
import { Text, whole } from './settings.js';

const MEGABYTE = 1024 * 1024;

export const configSchema = map({
  path: Text,
  /** The file is set aside when it has grown to this. */
  maxMegabytes: v.optional(whole(1, 10_000), 64),
  /** Files set aside: path.1 is the newest. */
  keep: v.optional(whole(0, 1000), 7),
});
type Config = v.InferOutput<typeof configSchema>;

/** Readable by the group, as log shippers need it; results name addresses, so not by everybody. */
const MODE = 0o640;
/** How far back an earlier life's lines are looked at: a few times what one delivery may hold. */
const TAIL_BYTES = 4 * MEGABYTE;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
const codeOfMissing = (error: unknown): null => {
  if (codeOf(error) === 'ENOENT') return null;
  throw error;
};

/** The ids at the end of a file, and where its last whole line ends. */
const readTail = async (handle: FileHandle, size: number): Promise<{ ids: ReadonlySet<string>; end: number }> => {
  const start = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.alloc(size - start);
  const { bytesRead } = await handle.read(tail, 0, tail.length, start);
  const lastNewline = tail.subarray(0, bytesRead).lastIndexOf(0x0a);
  const lines = tail
    .subarray(0, lastNewline + 1)
    .toString('utf8')
    .split('\n');
  const ids = lines.flatMap((line) => /^\{"id":"([\w-]{1,64})"/.exec(line)?.[1] ?? []);
  return { ids: new Set(ids), end: start + lastNewline + 1 };
};

interface Opened {
  readonly handle: FileHandle;
  readonly inode: number;
  size: number;
}

const openAppending = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, MODE);

export const create = async (config: Config, { name, log, labels }: ExporterDeps): Promise<Exporter> => {
  const { path, keep } = config;
  const maxBytes = config.maxMegabytes * MEGABYTE;
  /** Written by an earlier life, or by a delivery that failed after writing. */
  let known: ReadonlySet<string> = new Set();
  let opened: Opened | null = null;

  const reopen = async (): Promise<Opened> => {
    const handle = await openAppending(path);
    try {
      const { size, ino } = await handle.stat();
      const { ids, end } = await readTail(handle, size);
      known = ids;
      // A line that was cut off by a crash is nobody's record: its record is offered again.
      if (end < size && size <= TAIL_BYTES + end) {
        await handle.truncate(end);
        log.warn({ exporter: name, bytes: size - end }, 'the last line of the file was cut off, and is removed');
      }
      opened = { handle, inode: ino, size: end };
      return opened;
    } catch (error) {
      await handle.close();
      throw error;
    }
  };

  const shut = async (): Promise<void> => {
    const { handle } = opened ?? {};
    opened = null;
    await handle?.close();
  };

  /** The file may have been moved away by logrotate. */
  const current = async (): Promise<Opened> => {
    if (opened === null) return reopen();
    const there = await stat(path).catch(codeOfMissing);
    if (there?.ino === opened.inode) return opened;
    await shut();
    return reopen();
  };

  const rotate = async (): Promise<void> => {
    await shut();
    if (keep === 0) await unlink(path).catch(codeOfMissing);
    for (let number = keep; number >= 1; number -= 1)
      await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(codeOfMissing);
  };

  const append = async (records: readonly SpoolRecord[]): Promise<void> => {
    let file = await current();
    // Somebody may have emptied it in place (copytruncate).
    file.size = (await file.handle.stat()).size;
    const fresh = records.filter(({ id }) => !known.has(id));
    const bytes = Buffer.from(fresh.map((record) => `${JSON.stringify(labelled(record, labels))}\n`).join(''));
    if (file.size > 0 && file.size + bytes.length > maxBytes) {
      const remembered = known;
      await rotate();
      file = await reopen();
      known = remembered;
    }
    try {
      for (let written = 0; written < bytes.length; )
        written += (await file.handle.write(bytes, written, bytes.length - written)).bytesWritten;
      await file.handle.datasync();
    } catch (error) {
      // A full disk: what got in comes out again, so that readers see whole lines only. To cut at more than there is would
      // fill the difference with zeros.
      const { size } = await file.handle.stat().catch(() => ({ size: 0 }));
      if (size > file.size) await file.handle.truncate(file.size).catch(() => undefined);
      await shut();
      throw error;
    }
    file.size += bytes.length;
    known = new Set(records.map(({ id }) => id));
  };

  await reopen().catch((cause: unknown) => {
    throw new UserError('output-unwritable', `exporter ${name}: ${path} cannot be written (${codeOf(cause)})`, {
      cause,
    });
  });
  return {
    name,
    deliver: async (records) => {
      try {
        await append(records);
        return { outcome: 'delivered' };
      } catch (error) {
        return { outcome: 'retry', why: `${path}: ${codeOf(error)}`, afterMs: null };
      }
    },
    close: shut,
  };
};

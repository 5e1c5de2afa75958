/**
 * A file of lines that others read and move about: appended to and synced, rotated by size, and without a line twice, even if
 * the agent was killed between writing and remembering it.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { codeOf } from '../../model/error-code.js';

const MEGABYTE = 1024 * 1024;
/** Readable by the group, as log shippers need it; results name addresses, so not by everybody. */
const MODE = 0o640;
/** How far back an earlier life's lines are looked at: a few times what one delivery may hold. */
const TAIL_BYTES = 4 * MEGABYTE;

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

const writeWhole = async (handle: FileHandle, bytes: Buffer): Promise<void> => {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written);
    if (bytesWritten === 0) throw Object.assign(new Error('the disk is full or failing'), { code: 'ENOSPC' });
    written += bytesWritten;
  }
  await handle.datasync();
};

/**
 * On a full disk, what got in comes out again, so that readers see whole lines only. To cut at more than there is would fill the
 * difference with zeros.
 */
const undo = async ({ handle, size }: Opened): Promise<void> => {
  const now = await handle.stat().catch(() => ({ size: 0 }));
  if (now.size > size) await handle.truncate(size).catch(() => undefined);
};

/** What may be appended, with the id by which a reader knows it. */
interface Line {
  readonly id: string;
  readonly text: string;
}

interface FileOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** Files set aside. */
  readonly keep: number;
  /** Told when so many bytes at the end were no whole line, and are gone. */
  readonly onCut: (bytes: number) => void;
}

/** A file that others move away, empty or remove as they like. */
export const createLineFile = ({ path, maxBytes, keep, onCut }: FileOptions) => {
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
        onCut(size - end);
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

  /** Writes what is not there yet, all of it or nothing. @throws the disk's error */
  const append = async (lines: readonly Line[]): Promise<void> => {
    let file = await current();
    // Somebody may have emptied it in place (copytruncate).
    file.size = (await file.handle.stat()).size;
    const bytes = Buffer.from(
      lines
        .filter(({ id }) => !known.has(id))
        .map(({ text }) => `${text}\n`)
        .join(''),
    );
    if (file.size > 0 && file.size + bytes.length > maxBytes) {
      const remembered = known;
      await rotate();
      file = await reopen();
      known = remembered;
    }
    try {
      await writeWhole(file.handle, bytes);
    } catch (error) {
      await undo(file);
      await shut();
      throw error;
    }
    file.size += bytes.length;
    known = new Set(lines.map(({ id }) => id));
  };

  return { reopen, append, close: shut };
};

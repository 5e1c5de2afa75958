/** Writes records to the ends of the lanes' newest segments: one write and one fdatasync each. */
import { type FileHandle, open } from 'node:fs/promises';
import type { SpoolRecord } from '../exporters/contract.js';
import { encodeLine, type StoredRecord } from './line.js';
import type { Lane } from './retention.js';
import { newSegment, noteAppended, type Segment } from './segment.js';

export type OpenFile = (
  file: string,
) => Promise<Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'close'> & Partial<Pick<FileHandle, 'stat'>>>;

/** The code of a write into a file that has no name any more: whoever looks for it later finds nothing. */
export const FOLDER_GONE = 'EGONE';

/** What appending and dropping share: the files there are, and the number of the next record. */
export interface SegmentFiles {
  segments: Segment[];
  nextSeq: number;
}

export interface Appender {
  /** @throws the disk's error; `undo` then takes back what was written */
  store(record: SpoolRecord, lane: Lane): Promise<void>;
  /** Takes back what a failed write left behind; a file that cannot be cut is not appended to again. */
  undo(lane: Lane): Promise<void>;
  /** Lets go of a segment that is about to be dropped. */
  release(segment: Segment): Promise<void>;
  close(): Promise<void>;
}

/** A new file survives the power only once its folder is on disk. Not every system lets a folder be opened. */
const syncFolder = async (folder: string): Promise<void> => {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows: its file systems journal their folders.
  }
};

/** @param files is appended to */
export const createAppender = (
  options: { readonly folder: string; readonly segmentBytes: number; readonly openFile: OpenFile },
  files: SegmentFiles,
): Appender => {
  const { folder, segmentBytes, openFile } = options;
  const writers = new Map<Lane, { segment: Segment; handle: Awaited<ReturnType<OpenFile>> }>();

  const closeWriter = async (lane: Lane): Promise<void> => {
    const writer = writers.get(lane);
    writers.delete(lane);
    await writer?.handle.close().catch(() => undefined);
  };

  const writerFor = async (lane: Lane, bytes: number) => {
    const current = writers.get(lane);
    if (current && current.segment.bytes + bytes <= segmentBytes) return current;
    await closeWriter(lane);
    const last = files.segments.filter((segment) => segment.lane === lane).at(-1);
    const reusable = last && !last.sealed && last.bytes + bytes <= segmentBytes ? last : null;
    const segment = reusable ?? newSegment(folder, lane, files.nextSeq);
    const handle = await openFile(segment.file);
    if (!reusable) {
      files.segments.push(segment);
      await syncFolder(folder);
    }
    const writer = { segment, handle };
    writers.set(lane, writer);
    return writer;
  };

  return {
    store: async (record, lane) => {
      const stored: StoredRecord = { seq: files.nextSeq, record };
      const line = encodeLine(stored);
      const { segment, handle } = await writerFor(lane, line.length);
      for (let written = 0; written < line.length; ) {
        const { bytesWritten } = await handle.write(line, written, line.length - written);
        if (bytesWritten === 0) throw Object.assign(new Error('the disk is full or failing'), { code: 'ENOSPC' });
        written += bytesWritten;
      }
      await handle.datasync();
      const named = await handle.stat?.();
      if (named?.nlink === 0) throw Object.assign(new Error('the file was removed'), { code: FOLDER_GONE });
      files.nextSeq += 1;
      noteAppended(segment, stored, line.length);
    },
    undo: async (lane) => {
      const writer = writers.get(lane);
      if (!writer) return;
      try {
        await writer.handle.truncate(writer.segment.bytes);
      } catch {
        writer.segment.sealed = true;
        // The next segment is named after the next number, and must not be this file.
        files.nextSeq += 1;
      }
      await closeWriter(lane);
    },
    release: async (segment) => {
      if (writers.get(segment.lane)?.segment === segment) await closeWriter(segment.lane);
    },
    close: async () => {
      for (const lane of [...writers.keys()]) await closeWriter(lane);
    },
  };
};

/**
 * The durable spool: a result is on disk before any exporter sees it. Lanes of segment files (`light`, `full`, `event`,
 * `change`) share one order; each exporter has its own position in it. Appending is one write and one fdatasync,
 * dropping is one unlink, and opening after a crash is reading what is whole.
 */
import { mkdir, open, readdir, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SpoolRecord } from '../exporters/contract.js';
import { createAppender, FOLDER_GONE, type OpenFile, type SegmentFiles } from './appender.js';
import { createHeld } from './held.js';
import { openPositions } from './positions.js';
import {
  findRecord,
  firstAfter,
  newestReports,
  type ReadLimits,
  type ReadResult,
  readAfter,
  readNewest,
  walkBack,
} from './reading.js';
import { recoverSegments } from './recovery.js';
import { type Lane, type RetentionPolicy, segmentsToDrop } from './retention.js';

/** Small enough that dropping one loses little, large enough that a full spool has a few hundred files. */
const MAX_SEGMENT_BYTES = 1024 * 1024;
/** A spool has at least this many segments, so that dropping one is never dropping all. */
const MIN_SEGMENTS = 16;
/** Tries on a full disk, each after dropping something. */
const MAX_TRIES = 4;
const FULL = new Set(['ENOSPC', 'EDQUOT']);

export interface SpoolOptions {
  readonly folder: string;
  readonly policy: RetentionPolicy;
  readonly exporters: readonly string[];
  /** Wall-clock milliseconds, or null while the clock is not to be believed. */
  readonly now: () => number | null;
  /** What an operator must know, in words. */
  readonly say: (message: string, details?: Readonly<Record<string, unknown>>) => void;
  /** Opens a segment for appending; tests put a failing disk in its place. */
  readonly openFile?: OpenFile;
}

interface SpoolStats {
  readonly records: number;
  readonly bytes: number;
  /** The ceiling. */
  readonly maxBytes: number;
  /** Dropped since the start before every exporter had taken it, by lane. */
  readonly dropped: Readonly<Record<Lane, number>>;
  /** Results that were damaged when the spool was opened. */
  readonly damaged: number;
  /** In memory, because the disk takes nothing. */
  readonly held: number;
  /** Why the disk takes nothing, or null. */
  readonly failing: string | null;
  /** By exporter: records that it has yet to take. */
  readonly waiting: Readonly<Record<string, number>>;
}

export interface Spool {
  /** Resolves with `stored` when the record is on disk, with `held` when the disk refused and memory keeps it for now. */
  append(record: SpoolRecord, lane: Lane): Promise<'stored' | 'held'>;
  /** Tries again to write what is held, and drops what is too old. */
  tend(): Promise<void>;
  /** The records after `seq`, in order, at least one if there is one. */
  read(seq: number, limits: ReadLimits): Promise<ReadResult>;
  /** The newest records for which `wanted` holds, newest first; looks at `limit` records at most. */
  newest(
    limit: number,
    lanes: readonly Lane[],
    wanted: (record: SpoolRecord) => boolean,
  ): Promise<readonly SpoolRecord[]>;
  /** The records of these lanes from the newest back, so many at a time. */
  walkBack(lanes: readonly Lane[], helping: number): AsyncGenerator<readonly SpoolRecord[]>;
  /** The record with this id, made at about this time (wall-clock milliseconds), or null. */
  find(lanes: readonly Lane[], id: string, wallMs: number): Promise<SpoolRecord | null>;
  /** Of what an exporter has taken: the newest report of each of these targets in this lane, as far back as is worth looking. */
  newestTaken(exporter: string, lane: Lane, targets: readonly string[]): Promise<readonly SpoolRecord[]>;
  position(exporter: string): number;
  /** Remembers that an exporter has taken everything up to `seq`. */
  advance(exporter: string, seq: number): Promise<void>;
  /** Calls back after each stored record. Returns how to stop. */
  onStored(listener: () => void): () => void;
  stats(): SpoolStats;
  close(): Promise<void>;
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

/** Opens the spool, whatever state it was left in. @throws only if the folder can neither be made nor read */
export const openSpool = async (options: SpoolOptions): Promise<Spool> => {
  const { folder, policy, say } = options;
  const openFile = options.openFile ?? ((file: string) => open(file, 'a', 0o640));
  const segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.floor(policy.maxBytes / MIN_SEGMENTS));
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const positions = await openPositions(join(folder, 'positions'), options.exporters, say);

  const recovered = await recoverSegments(folder, say);
  const files: SegmentFiles = {
    segments: recovered.segments,
    nextSeq:
      Math.max(
        0,
        positions.highest(),
        ...recovered.segments.map(({ firstSeq, lastSeq }) => Math.max(firstSeq, lastSeq)),
      ) + 1,
  };
  const appender = createAppender({ folder, segmentBytes, openFile }, files);
  const dropped: Record<Lane, number> = { light: 0, full: 0, event: 0, change: 0 };
  const held = createHeld();
  const listeners = new Set<() => void>();
  let failing: string | null = null;
  let lastWork: Promise<unknown> = Promise.resolve();

  /** One thing at a time: the order of the records is the order of the calls. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = lastWork.then(work, work);
    lastWork = turn.catch(() => undefined);
    return turn;
  };

  const countDropped = (lane: Lane, seqs: readonly number[]): number => {
    const lowest = positions.lowest();
    const lost = seqs.filter((seq) => seq > lowest && Number.isFinite(lowest)).length;
    dropped[lane] += lost;
    return lost;
  };

  const drop = async (freeAtLeast: number, rankOfNew: Lane | null): Promise<number> => {
    const leaving = segmentsToDrop({
      segments: files.segments.filter(({ bytes }) => bytes > 0),
      policy,
      now: options.now(),
      deliveredTo: positions.lowest(),
      freeAtLeast,
      rankOfNew,
    });
    let freed = 0;
    for (const segment of leaving) {
      await appender.release(segment);
      try {
        await unlink(segment.file);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') continue;
      }
      freed += segment.bytes;
      files.segments = files.segments.filter((one) => one !== segment);
      const lost = countDropped(segment.lane, segment.seqs);
      if (lost > 0)
        say('results were dropped before every exporter had taken them', { lane: segment.lane, results: lost });
    }
    return freed;
  };

  /** Somebody removed the folder, or files in it, while we wrote there. */
  const makeAnew = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o750 }).catch(() => undefined);
    const there = new Set(await readdir(folder).catch(() => []));
    const gone = files.segments.filter(({ file, bytes }) => bytes > 0 && !there.has(basename(file)));
    files.segments = files.segments.filter(({ file }) => there.has(basename(file)));
    for (const { lane, seqs } of gone) countDropped(lane, seqs);
    say('files of the spool were removed while the agent runs; it goes on with new ones', {
      folder,
      files: gone.length,
    });
  };

  /** On a full disk what everybody has taken goes first; what somebody has yet to take only where memory has no room either. */
  const storeOrFree = async (record: SpoolRecord, lane: Lane, memoryIsFull = false): Promise<boolean> => {
    for (let attempt = 1; attempt <= MAX_TRIES; attempt += 1) {
      try {
        await appender.store(record, lane);
        if (failing !== null) say('the disk takes results again', { held: held.size() });
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
        if (!FULL.has(code) || (await drop(segmentBytes, memoryIsFull ? lane : null)) === 0) return false;
      }
    }
    return false;
  };

  const flushHeld = async (memoryIsFull = false): Promise<void> => {
    for (let first = held.first(); first !== null; first = held.first()) {
      if (!(await storeOrFree(first.record, first.lane, memoryIsFull))) return;
      held.removeFirst();
    }
  };

  const hold = (record: SpoolRecord, lane: Lane): void => {
    for (const lost of held.add({ record, lane })) {
      dropped[lost.lane] += 1;
      say('a result was lost: the disk takes no results and memory is full', { lane: lost.lane, id: lost.record.id });
    }
  };

  const tell = (): void => {
    for (const listener of listeners) listener();
  };

  return {
    append: (record, lane) =>
      inTurn(async () => {
        await flushHeld(held.isFull());
        if (held.size() > 0 || !(await storeOrFree(record, lane))) {
          hold(record, lane);
          return 'held';
        }
        await drop(0, null);
        tell();
        return 'stored';
      }),
    tend: () =>
      inTurn(async () => {
        const before = held.size();
        await flushHeld();
        await drop(0, null);
        if (held.size() < before) tell();
      }),
    read: (after, limits) => readAfter(files.segments, after, limits),
    newest: (limit, lanes, wanted) => readNewest(files.segments, limit, lanes, wanted),
    walkBack: (lanes, helping) => walkBack(files.segments, lanes, helping),
    find: (lanes, id, wallMs) => findRecord(files.segments, lanes, id, wallMs),
    newestTaken: (exporter, lane, targets) => newestReports(files.segments, lane, targets, positions.get(exporter)),
    position: positions.get,
    advance: async (exporter, seq) => {
      if (seq <= positions.get(exporter)) return;
      await positions.advance(exporter, seq).catch((error: unknown) => {
        say('a position could not be stored; after a restart some results will be offered again', {
          exporter,
          error: codeOf(error),
        });
      });
    },
    onStored: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stats: () => ({
      records: files.segments.reduce((sum, { seqs }) => sum + seqs.length, 0),
      bytes: files.segments.reduce((sum, { bytes }) => sum + bytes, 0),
      maxBytes: policy.maxBytes,
      dropped: { ...dropped },
      damaged: recovered.damaged,
      held: held.size(),
      failing,
      waiting: Object.fromEntries(
        options.exporters.map((name) => [
          name,
          files.segments.reduce((sum, { seqs }) => sum + seqs.length - firstAfter(seqs, positions.get(name)), 0),
        ]),
      ),
    }),
    close: () =>
      inTurn(async () => {
        // Memory ends with the process.
        await flushHeld(true);
        await appender.close();
      }),
  };
};

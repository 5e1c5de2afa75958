/**
 * The durable spool: a result is on disk before any exporter sees it. Lanes of segment files (`light`, `full`, `event`,
 * `change`) share one order; each exporter has its own position in it. Appending is one write and one fdatasync,
 * dropping is one unlink, and opening after a crash is reading what is whole.
 */

import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../model/error-code.js';
import type { SpoolRecord } from '../exporters/contract.js';
import { createInTurn } from '../in-turn.js';
import { createAppender, type OpenFile, type SegmentFiles } from './appender.js';
import { createDisk } from './disk.js';
import { createDropping } from './dropping.js';
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
import type { Lane, RetentionPolicy } from './retention.js';
import type { Segment } from './segment.js';

/** Small enough that dropping one loses little, large enough that a full spool has a few hundred files. */
const MAX_SEGMENT_BYTES = 1024 * 1024;
/** A spool has at least this many segments, so that dropping one is never dropping all. */
const MIN_SEGMENTS = 16;

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

/** The numbers of new records go on after all that is known of older ones. */
const nextAfter = (segments: readonly Segment[], highestTaken: number): number =>
  Math.max(0, highestTaken, ...segments.map(({ firstSeq, lastSeq }) => Math.max(firstSeq, lastSeq))) + 1;

/** What is on disk, in numbers. */
const countOf = (
  segments: readonly Segment[],
  exporters: readonly string[],
  positionOf: (exporter: string) => number,
) => ({
  records: segments.reduce((sum, { seqs }) => sum + seqs.length, 0),
  bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
  waiting: Object.fromEntries(
    exporters.map((name) => [
      name,
      segments.reduce((sum, { seqs }) => sum + seqs.length - firstAfter(seqs, positionOf(name)), 0),
    ]),
  ),
});

/** Opens the spool, whatever state it was left in. @throws only if the folder can neither be made nor read */
export const openSpool = async (options: SpoolOptions): Promise<Spool> => {
  const { folder, policy, say, now } = options;
  const openFile = options.openFile ?? ((file: string) => open(file, 'a', 0o640));
  const segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.floor(policy.maxBytes / MIN_SEGMENTS));
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const positions = await openPositions(join(folder, 'positions'), options.exporters, say);
  const { segments, damaged } = await recoverSegments(folder, say);
  const files: SegmentFiles = { segments, nextSeq: nextAfter(segments, positions.highest()) };
  const appender = createAppender({ folder, segmentBytes, openFile }, files);
  const dropping = createDropping(
    { policy, now, say, release: appender.release, deliveredTo: positions.lowest },
    files,
  );
  const held = createHeld();
  const disk = createDisk({ folder, segmentBytes, appender, dropping, held: held.size, say }, files);
  const listeners = new Set<() => void>();
  // The order of the records is the order of the calls.
  const inTurn = createInTurn();

  const flushHeld = async (memoryIsFull = false): Promise<void> => {
    for (let first = held.first(); first !== null; first = held.first()) {
      if (!(await disk.store(first.record, first.lane, memoryIsFull))) return;
      held.removeFirst();
    }
  };

  const hold = (record: SpoolRecord, lane: Lane): void => {
    for (const lost of held.add({ record, lane })) {
      dropping.lose(lost.lane);
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
        if (held.size() > 0 || !(await disk.store(record, lane))) {
          hold(record, lane);
          return 'held';
        }
        await dropping.drop(0, null);
        tell();
        return 'stored';
      }),
    tend: () =>
      inTurn(async () => {
        const before = held.size();
        await flushHeld();
        await dropping.drop(0, null);
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
      ...countOf(files.segments, options.exporters, positions.get),
      maxBytes: policy.maxBytes,
      dropped: dropping.dropped(),
      damaged,
      held: held.size(),
      failing: disk.failing(),
    }),
    close: () =>
      inTurn(async () => {
        // Memory ends with the process.
        await flushHeld(true);
        await appender.close();
      }),
  };
};

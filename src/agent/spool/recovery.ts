/** Finds what an earlier process left in the spool's folder. */
import { readdir } from 'node:fs/promises';
import type { Gap } from './line.js';
import { parseSegmentName, recoverSegment, type Segment } from './segment.js';

interface Recovery {
  /** In the order of their lanes' names and numbers. */
  readonly segments: Segment[];
  /** Damaged results that were left out. */
  readonly damaged: number;
}

/** No result takes less on disk: what is damaged is no more results than fit into it. */
const LEAST_BYTES = 100;

/** How many results a damaged stretch was: the numbers that no file has, where all lanes share one order. */
const lostIn = ({ after, before, bytes }: Gap, firstSeq: number, known: ReadonlySet<number>): number => {
  let missing = 0;
  const from = after === null ? firstSeq : after + 1;
  const most = Math.ceil(bytes / LEAST_BYTES);
  // Backwards, because a lane of which old files were dropped leaves its numbers missing before and not after.
  for (let seq = before - 1; seq >= from && missing < most; seq -= 1) if (!known.has(seq)) missing += 1;
  return Math.max(1, missing);
};

/** Reads every segment; one that cannot be read is said and left alone. @throws if the folder cannot be listed */
export const recoverSegments = async (
  folder: string,
  say: (message: string, details: Readonly<Record<string, unknown>>) => void,
): Promise<Recovery> => {
  const segments: Segment[] = [];
  const damage: { readonly file: string; readonly firstSeq: number; readonly gap: Gap }[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const parsed = parseSegmentName(name);
    if (!parsed) continue;
    try {
      const found = await recoverSegment(folder, parsed.lane, parsed.firstSeq);
      segments.push(found.segment);
      damage.push(...found.gaps.map((gap) => ({ file: name, firstSeq: parsed.firstSeq, gap })));
      if (found.tornBytes > 0) {
        say('the spool ended in the middle of a result, which was cut off', { file: name, bytes: found.tornBytes });
      }
    } catch (error) {
      say('a file of the spool cannot be read and is left alone', {
        file: name,
        error: (error as { code?: string }).code,
      });
    }
  }
  if (damage.length === 0) return { segments, damaged: 0 };
  const known = new Set(segments.flatMap(({ seqs }) => seqs));
  const lost = new Map<string, number>();
  for (const { file, firstSeq, gap } of damage) lost.set(file, (lost.get(file) ?? 0) + lostIn(gap, firstSeq, known));
  for (const [file, results] of lost) say('damaged results in the spool were left out', { file, results });
  return { segments, damaged: [...lost.values()].reduce((sum, count) => sum + count, 0) };
};

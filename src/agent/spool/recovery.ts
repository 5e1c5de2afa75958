/** Finds what an earlier process left in the spool's folder. */
import { readdir } from 'node:fs/promises';
import { parseSegmentName, recoverSegment, type Segment } from './segment.js';

interface Recovery {
  /** In the order of their lanes' names and numbers. */
  readonly segments: Segment[];
  /** Damaged lines that were left out. */
  readonly damaged: number;
}

/** Reads every segment; one that cannot be read is said and left alone. @throws if the folder cannot be listed */
export const recoverSegments = async (
  folder: string,
  say: (message: string, details: Readonly<Record<string, unknown>>) => void,
): Promise<Recovery> => {
  const segments: Segment[] = [];
  let damaged = 0;
  for (const name of (await readdir(folder)).sort()) {
    const parsed = parseSegmentName(name);
    if (!parsed) continue;
    try {
      const found = await recoverSegment(folder, parsed.lane, parsed.firstSeq);
      segments.push(found.segment);
      damaged += found.damaged;
      if (found.damaged > 0) say('damaged results in the spool were left out', { file: name, results: found.damaged });
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
  return { segments, damaged };
};

/** One line on stderr that says how far a run is, with a map of its widest range; only on a terminal, gone at the end. */
import type { OnProgress } from '../model/run.js';

interface Progress {
  /** Null where nobody watches, so that nobody need tell. */
  readonly update: OnProgress | null;
  clear(): void;
}

/** Fast enough to look alive, slow enough to cost nothing. */
const REDRAW_MS = 100;
/** Fits beside the figures on a terminal of 80 columns. */
const MAP_CELLS = 40;
/** Of a terminal that does not say. */
const DEFAULT_COLUMNS = 80;
/** Nothing known yet · all that is known passes · some passes · nothing passes. */
const CELLS = { unknown: '·', passes: '█', mixed: '▒', silent: '░' } as const;

const cellOf = (open: number, silent: number): string => {
  if (open + silent === 0) return CELLS.unknown;
  if (silent === 0) return CELLS.passes;
  return open === 0 ? CELLS.silent : CELLS.mixed;
};

/**
 * A progress line of `total` steps.
 * @param span the ports that the map shows, or null for none
 */
export const createProgress = (
  total: number,
  stream: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown },
  span: readonly [from: number, to: number] | null = null,
): Progress => {
  if (!stream.isTTY) return { update: null, clear: () => undefined };
  let drawnAt = Number.NEGATIVE_INFINITY;
  const fates = new Map<number, boolean>();
  const map = (): string => {
    if (span === null || fates.size === 0) return '';
    const [from, to] = span;
    const cells = Array.from({ length: MAP_CELLS }, () => ({ open: 0, silent: 0 }));
    for (const [port, passes] of fates) {
      const cell = cells[Math.floor(((port - from) * MAP_CELLS) / (to - from + 1))];
      if (cell) cell[passes ? 'open' : 'silent'] += 1;
    }
    return ` ${from} ${cells.map(({ open, silent }) => cellOf(open, silent)).join('')} ${to}`;
  };
  return {
    update: (done, marks = []) => {
      for (const [port, passes] of marks) if (span && port >= span[0] && port <= span[1]) fates.set(port, passes);
      const now = performance.now();
      if (now - drawnAt < REDRAW_MS && done < total) return;
      drawnAt = now;
      // What follows the questions (receipts, studies) has no number of its own.
      const how = done >= total ? `${total} asked, looking closer` : `${done} of ${total} checks`;
      const room = (stream.columns ?? DEFAULT_COLUMNS) - 1;
      const line = `${how}${map()}`;
      // A line that wraps could not be taken back.
      stream.write(`\r\u001b[K${line.length <= room ? line : how.slice(0, room)}`);
    },
    clear: () => stream.write('\r\u001b[K'),
  };
};

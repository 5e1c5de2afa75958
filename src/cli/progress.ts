/** One line on stderr that says how far a run is; drawn only on a terminal, and gone when the result comes. */

export interface Progress {
  update(done: number): void;
  clear(): void;
}

/** Fast enough to look alive, slow enough to cost nothing. */
const REDRAW_MS = 100;

/** A progress line of `total` steps. */
export const createProgress = (
  total: number,
  stream: { readonly isTTY?: boolean; write(text: string): unknown },
): Progress => {
  if (!stream.isTTY) return { update: () => undefined, clear: () => undefined };
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update: (done) => {
      const now = performance.now();
      if (now - drawnAt < REDRAW_MS && done < total) return;
      drawnAt = now;
      stream.write(`\r\u001b[Kprobing: ${done} of ${total} checks`);
    },
    clear: () => stream.write('\r\u001b[K'),
  };
};

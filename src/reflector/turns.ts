/**
 * The work of connections in slices. What thousands of connections bring at once is done bit by bit, each in its turn, and between
 * two slices the datagrams that have come meanwhile are answered: nobody's stream makes somebody else's packets late.
 */

interface Turns {
  /** Runs `work` at once if this turn of the event loop has time for it, else in one of the next. In order. */
  run(work: () => void): void;
  /** The same for what only begins when it returns, and takes about a slice then: nothing else is done in its turn. */
  runLast(work: () => void): void;
  close(): void;
}

interface Piece {
  readonly work: () => void;
  readonly isLast: boolean;
}

/** A tenth of what a call's packet may be late without anybody's hearing it; one piece of work may exceed it. */
const SLICE_MS = 1;

export const createTurns = (now: () => number = () => performance.now()): Turns => {
  let queue: Piece[] = [];
  let head = 0;
  let usedMs = 0;
  let immediate: NodeJS.Immediate | null = null;

  const perform = ({ work, isLast }: Piece): void => {
    const at = now();
    work();
    usedMs += isLast ? SLICE_MS : now() - at;
  };
  const turn = (): void => {
    immediate = null;
    usedMs = 0;
    while (usedMs < SLICE_MS) {
      const piece = queue[head];
      if (!piece) break;
      head += 1;
      perform(piece);
    }
    if (head === queue.length) {
      queue = [];
      head = 0;
    }
    if (usedMs > 0 || queue.length > 0) immediate ??= setImmediate(turn);
  };
  const add = (piece: Piece): void => {
    if (queue.length === 0 && usedMs < SLICE_MS) perform(piece);
    else queue.push(piece);
    immediate ??= setImmediate(turn);
  };
  return {
    run: (work) => add({ work, isLast: false }),
    runLast: (work) => add({ work, isLast: true }),
    close: () => {
      if (immediate) clearImmediate(immediate);
      queue = [];
    },
  };
};

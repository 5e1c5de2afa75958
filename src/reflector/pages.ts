/**
 * What a session remembers of its numbers, a page of neighbours at a time: a session that claims a high number costs no more memory
 * and no more time than one that begins at 0.
 */

/** Of the numbers of one page, by their places in it. */
export interface Page {
  /** Arrivals without the replays. */
  readonly counts: Uint8Array;
  readonly replays: Uint8Array;
  readonly answered: Uint8Array;
  /** One more than the reason's place in `UNANSWERED`; 0 for none. */
  readonly reasons: Uint8Array;
  /** Hashes of the sources. */
  readonly sources: Uint32Array;
}

export interface Pages {
  /** The page of a number, if anything of its neighbourhood arrived. */
  find(sequence: number): Page | undefined;
  /** The same; a fresh one where there is none. */
  need(sequence: number): Page;
  /** Forgets the pages that hold nothing but numbers up to this one. */
  forgetUpTo(sequence: number): void;
  bytes(): number;
}

/** What a short run asks. */
const NUMBERS = 512;
/** Four columns of one byte each, and one of four. */
const BYTES_PER_NUMBER = 8;

export const placeIn = (sequence: number): number => sequence % NUMBERS;

const freshPage = (): Page => {
  const memory = new ArrayBuffer(NUMBERS * BYTES_PER_NUMBER);
  const column = (index: number): Uint8Array => new Uint8Array(memory, (4 + index) * NUMBERS, NUMBERS);
  return {
    sources: new Uint32Array(memory, 0, NUMBERS),
    counts: column(0),
    replays: column(1),
    answered: column(2),
    reasons: column(3),
  };
};

export const createPages = (): Pages => {
  const pages = new Map<number, Page>();
  const indexOf = (sequence: number): number => Math.floor(sequence / NUMBERS);
  /** Pages below this one are gone. */
  let first = 0;
  /** Neighbours come one after the other: the page that was asked for last is mostly asked for next. */
  let latest: { readonly index: number; readonly page: Page } | null = null;
  const find = (sequence: number): Page | undefined => {
    const index = indexOf(sequence);
    if (latest?.index === index) return latest.page;
    const page = pages.get(index);
    if (page) latest = { index, page };
    return page;
  };
  return {
    find,
    need: (sequence) => {
      const known = find(sequence);
      if (known) return known;
      const index = indexOf(sequence);
      const page = freshPage();
      pages.set(index, page);
      latest = { index, page };
      return page;
    },
    forgetUpTo: (sequence) => {
      const index = indexOf(sequence + 1);
      if (index <= first) return;
      first = index;
      latest = null;
      for (const one of pages.keys()) if (one < index) pages.delete(one);
    },
    bytes: () => pages.size * NUMBERS * BYTES_PER_NUMBER,
  };
};

/** Wrapping for terminals: how wide a text is, and how it breaks into lines of a width. */

/**
 * The first block that terminals draw two columns wide is Hangul Jamo, U+1100. Everything from there on counts as two:
 * some of it is narrower, so a line may end early but never runs over.
 */
const FIRST_WIDE = 0x1100;

const columnsOf = (character: string): number => ((character.codePointAt(0) ?? 0) < FIRST_WIDE ? 1 : 2);

/** An upper bound of the columns that a text without control characters takes on a terminal. */
export const columns = (text: string): number => {
  let sum = 0;
  for (const character of text) sum += columnsOf(character);
  return sum;
};

/** Cuts a word that is wider than a whole line. */
const cut = (word: string, width: number): string[] => {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const character of word) {
    const more = columnsOf(character);
    if (used + more > width && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += character;
    used += more;
  }
  pieces.push(piece);
  return pieces;
};

/** Breaks a text at white space into lines of at most `width` (2 or more) columns; words that do not fit are cut. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(/\s+/)) {
    if (word === '') continue;
    for (const piece of cut(word, width)) {
      const more = columns(piece);
      if (used > 0 && used + 1 + more <= width) {
        line += ` ${piece}`;
        used += 1 + more;
        continue;
      }
      if (used > 0) lines.push(line);
      line = piece;
      used = more;
    }
  }
  if (used > 0) lines.push(line);
  return lines;
};

/** Pads a text to a column; leaves it as it is when it is wider. */
export const padTo = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columns(text)));

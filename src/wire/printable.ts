/**
 * Text from the network, made fit for one line of a log, a terminal or a report. A hostile header must not move the
 * cursor, start a new log line, or show itself in another order than it was sent.
 */

/**
 * What is escaped: everything of Unicode's category C (controls and so ANSI, bidirectional overrides, unassigned,
 * lone surrogates), line and paragraph separators, characters that show as nothing, and the backslash itself so that
 * an escape cannot be faked.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\\]/u;

const ELLIPSIS = '…';

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\r', '\\r'],
  ['\n', '\\n'],
  ['\t', '\\t'],
]);

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return (
    SHORT_ESCAPES.get(character) ??
    (code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`)
  );
};

/**
 * Renders hostile text on one line. What does not fit ends in "…"; an escape is never cut in two.
 * @param text      any text; only as much of it is looked at as fits
 * @param maxLength UTF-16 units that the result may have, at least 1
 */
export const printable = (text: string, maxLength: number): string => {
  let shown = '';
  /** How much of `shown` stays when an ellipsis has to follow. */
  let keep = 0;
  for (const character of text) {
    shown += UNSAFE.test(character) ? escaped(character) : character;
    if (shown.length > maxLength) return shown.slice(0, keep) + ELLIPSIS;
    if (shown.length < maxLength) keep = shown.length;
  }
  return shown;
};

/**
 * The text of a file that a person wrote, YAML or JSON (of which YAML 1.2 is a superset), to a checked value or to
 * mistakes with their lines. Loads the YAML parser: import it lazily.
 */
import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import type { Mistake, PathKey } from '../model/mistake.js';
import { quoted } from '../model/schema-words.js';

/**
 * How deeply lists and maps may nest. A profile needs seven levels, a configuration fewer. The composer recurses, and a file nested by some
 * thousand levels ends the whole process inside V8, so the depth is measured before it is called.
 */
const MAX_NESTING = 32;

/** A mistake and the line (from 1) on which it stands. `path` is empty where the text is not even YAML. */
export interface TextMistake {
  readonly line: number;
  readonly path: string;
  readonly message: string;
}

/** How messages speak of the kind of file: its name, how one begins, and how many levels deep one nests, in words. */
interface TextKind {
  readonly noun: string;
  readonly begins: string;
  readonly levels: string;
}

/** What a check of the content found. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

type TextReading<T> =
  | { readonly ok: true; readonly value: T }
  /** Never empty; in the order of their lines. */
  | { readonly ok: false; readonly mistakes: readonly [TextMistake, ...TextMistake[]] };

/** `requirements[2].check.port`. Keys that are no plain words are quoted, so that they cannot steer a terminal. */
export const pathText = (path: readonly PathKey[]): string => {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w-]{1,40}$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${quoted(key)}]`;
  }
  return text;
};

const childrenOf = (token: CST.Token): readonly (CST.Token | null | undefined)[] => {
  if (token.type === 'document') return [token.value];
  if ('items' in token) return token.items.flatMap((item) => [item.key, item.value]);
  return [];
};

const childrenOfAll = (tokens: readonly CST.Token[]): readonly CST.Token[] =>
  tokens.flatMap(childrenOf).filter((token) => token !== null && token !== undefined);

/** A quote that is never closed swallows the rest of the file; the line to mend is the one where it opens. */
const openingQuote = (tokens: readonly CST.Token[], end: number): number => {
  let level: readonly CST.Token[] = tokens;
  while (level.length > 0) {
    for (const token of level) {
      const quotedScalar = token.type === 'double-quoted-scalar' || token.type === 'single-quoted-scalar';
      if (quotedScalar && token.offset + token.source.length === end) return token.offset;
    }
    level = childrenOfAll(level);
  }
  return end;
};

/** The offset of the first token nested deeper than `limit`, or null. Iterative, because the depth is not yet known. */
const offsetBelow = (tokens: readonly CST.Token[], limit: number): number | null => {
  let level: readonly CST.Token[] = tokens;
  for (let depth = 0; level.length > 0; depth += 1) {
    const [first] = level;
    if (depth > limit && first !== undefined) return first.offset;
    level = childrenOfAll(level);
  }
  return null;
};

const pairOf = (map: YAMLMap, key: string) =>
  map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);

/** The offset of the value that a path leads to, or of its nearest parent where the path leads to nothing. */
const offsetOf = (root: unknown, path: readonly PathKey[], atKey: boolean): number => {
  let node = root;
  let offset = isNode(root) ? (root.range?.[0] ?? 0) : 0;
  for (const [index, key] of path.entries()) {
    let next: unknown;
    if (isSeq(node) && typeof key === 'number') next = node.items[key];
    else if (isMap(node)) {
      const pair = pairOf(node, String(key));
      const last = index === path.length - 1;
      // An empty value ("port:") has no place of its own, and a key at fault is its own place.
      const atPairKey = pair !== undefined && ((last && atKey) || pair.value === null);
      if (atPairKey && isNode(pair.key)) return pair.key.range?.[0] ?? offset;
      next = pair?.value;
    }
    if (!isNode(next)) return offset;
    offset = next.range?.[0] ?? offset;
    node = next;
  }
  return offset;
};

interface Placed {
  readonly offset: number;
  readonly path: readonly PathKey[];
  readonly message: string;
}

/**
 * The first thing that YAML allows and we do not: an alias (an alias bomb takes ten lines), a key that stands
 * twice, a key that is no word. Recursion is bounded by MAX_NESTING.
 */
const houseRuleMistake = (node: unknown, path: readonly PathKey[], noun: string): Placed | null => {
  if (isAlias(node)) {
    const message = `is an alias (*name), which a ${noun} may not use; write the value out`;
    return { offset: node.range?.[0] ?? 0, path, message };
  }
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const found = houseRuleMistake(item, [...path, index], noun);
      if (found !== null) return found;
    }
  }
  if (!isMap(node)) return null;
  const names = new Set<string>();
  for (const { key, value } of node.items) {
    const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
    if (!isScalar(key)) return { offset, path, message: 'has a list or a map as a key; use a plain word' };
    const name = String(key.value);
    const inner = [...path, name];
    if (names.has(name)) return { offset, path: inner, message: 'stands twice in one map; keep one' };
    names.add(name);
    const found = houseRuleMistake(value, inner, noun);
    if (found !== null) return found;
  }
  return null;
};

/** Fixes for the syntax errors that authors of a profile make; the parser's own sentence says what is wrong. */
const SYNTAX_FIXES: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'put a text that holds ": " in quotes',
  TAB_AS_INDENT: 'indent with spaces',
};

/** The composer's first error, where its author would look for it. */
const syntaxMistake = (error: YAMLParseError, tokens: readonly CST.Token[]): Placed => {
  const sentence = error.message
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 120)
    .replace(/\.$/, '');
  const message = `is not valid YAML: ${sentence}; ${SYNTAX_FIXES[error.code] ?? 'mend the syntax'}`;
  return { offset: openingQuote(tokens, error.pos[0]), path: [], message };
};

type Refused = Extract<TextReading<never>, { ok: false }>;

const inLines = (found: readonly Placed[], lines: LineCounter, kind: TextKind): Refused => {
  const mistakes = found.map(({ offset, path, message }) => {
    const { line } = lines.linePos(offset);
    return { line: Math.max(1, line), path: pathText(path), message };
  });
  // What to say of a text of which nothing more can be said.
  const nothing: TextMistake = { line: 1, path: '', message: `is empty; a ${kind.noun} begins with "${kind.begins}"` };
  const [first = nothing, ...rest] = mistakes.sort((a, b) => a.line - b.line);
  return { ok: false, mistakes: [first, ...rest] };
};

/** Reads a file's text. Never throws, whatever it holds; linear in its length, which the caller bounds. */
export const readText = <T>(text: string, kind: TextKind, check: (value: unknown) => Checked<T>): TextReading<T> => {
  const lines = new LineCounter();
  const refused = (...found: readonly Placed[]): Refused => inLines(found, lines, kind);

  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = offsetBelow(tokens, MAX_NESTING);
  if (tooDeep !== null) {
    const message = `is nested more than ${MAX_NESTING} levels deep; a ${kind.noun} needs ${kind.levels}`;
    return refused({ offset: tooDeep, path: [], message });
  }

  // Core schema whatever a %YAML directive says: under 1.1 an unquoted date would turn into an object. Duplicate
  // keys are looked for by our own rule, since the library compares every key of a map with every other.
  const composer = new Composer({ schema: 'core', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const [document, second] = [...composer.compose(tokens, false, text.length)];
  if (document === undefined) return refused();
  const [syntaxError] = document.errors;
  if (syntaxError !== undefined) return refused(syntaxMistake(syntaxError, tokens));
  if (second !== undefined) {
    const message = `begins a second YAML document; keep one ${kind.noun} in a file`;
    return refused({ offset: second.range[0], path: [], message });
  }
  const ruleMistake = houseRuleMistake(document.contents, [], kind.noun);
  if (ruleMistake !== null) return refused(ruleMistake);

  const checked = check(document.toJS({ maxAliasCount: 0 }));
  if (checked.ok) return checked;
  const placed = ({ path, atKey, message }: Mistake): Placed => ({
    offset: offsetOf(document.contents, path, atKey),
    path,
    message,
  });
  return inLines(checked.mistakes.map(placed), lines, kind);
};

/** `FILE:LINE:PATH: what is wrong; the fix`, on one line. */
export const mistakeLine = (file: string, { line, path, message }: TextMistake): string =>
  path === '' ? `${file}:${line}: ${message}` : `${file}:${line}:${path}: ${message}`;

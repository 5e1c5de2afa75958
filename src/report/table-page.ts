/** The page that the table is written on: its width, its inks, and how a label and a text share a line. */
import type { Verdict } from '../model/verdict.js';
import { printable } from '../wire/printable.js';
import { columns, wrap } from './layout.js';

/** SGR parameters (ECMA-48 §8.3.117). */
const SGR = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const;
export type Ink = keyof typeof SGR;

/** Writes in an ink, or plainly where colour is not wanted. */
export const painter =
  (color: boolean) =>
  (ink: Ink, text: string): string =>
    color ? `\u001b[${SGR[ink]}m${text}\u001b[0m` : text;

export const VERDICT_INK: Readonly<Record<Verdict, Ink>> = {
  pass: 'green',
  degraded: 'yellow',
  altered: 'yellow',
  blocked: 'red',
  unknown: 'dim',
};

/** Longer texts come only from something hostile or broken. */
export const MAX_ID = 120;
const MAX_TEXT = 600;

export interface Page {
  readonly width: number;
  readonly verbose: boolean;
  readonly paint: (ink: Ink, text: string) => string;
}

export type Section = readonly string[];

/**
 * A label and a text beside it that wraps under itself, from column `hang`. A label that does not fit before `hang`
 * stands on lines of its own.
 */
export const beside = (
  page: Page,
  label: string,
  text: string,
  { indent, hang, ink }: { readonly indent: number; readonly hang: number; readonly ink?: Ink },
): string[] => {
  const margin = ' '.repeat(hang);
  const painted = (part: string): string => (ink === undefined ? part : page.paint(ink, part));
  const lines = wrap(text, page.width - hang);
  const room = hang - indent - 1;
  if (columns(label) <= room) {
    const [first = '', ...rest] = lines;
    const head = ' '.repeat(indent) + painted(label);
    const gap = first === '' ? '' : ' '.repeat(hang - indent - columns(label));
    return [head + gap + first, ...rest.map((line) => margin + line)];
  }
  const heads = wrap(label, page.width - indent).map((line) => ' '.repeat(indent) + painted(line));
  return [...heads, ...lines.map((line) => margin + line)];
};

/** A wrapped text at an indent. */
export const paragraph = (page: Page, content: string, indent: number, ink?: Ink): string[] =>
  wrap(content, page.width - indent).map((line) => ' '.repeat(indent) + (ink ? page.paint(ink, line) : line));

/** The first rows of a list and, unless everything is wanted, how many were left out. */
export const limited = <T>(
  page: Page,
  items: readonly T[],
  max: number,
): { readonly shown: readonly T[]; more: number } =>
  page.verbose || items.length <= max
    ? { shown: items, more: 0 }
    : { shown: items.slice(0, max), more: items.length - max };

/** Says how many rows were left out, if any. */
export const moreLine = (page: Page, more: number, indent: number): string[] =>
  more === 0 ? [] : paragraph(page, `... and ${more} more (-v lists all)`, indent, 'dim');

/** An id or a name, fit to print. */
export const idOf = (id: string): string => printable(id, MAX_ID);
/** A sentence, fit to print. */
export const textOf = (content: string): string => printable(content, MAX_TEXT);

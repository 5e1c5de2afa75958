/** The template tag of the HTML report: every value is escaped, so that forgetting to escape is not possible. */
import { printable } from '../../wire/printable.js';

/** Longer texts come only from something hostile or broken. */
const MAX_NAME = 160;
const MAX_TEXT = 2000;

/** Markup that is safe to put into the page: made by `html` and by nothing else. */
export interface Markup {
  readonly markup: string;
}
export type Content = Markup | string | number | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const markupOf = (content: Content): string => {
  if (typeof content === 'string') return escaped(content);
  if (typeof content === 'number') return String(content);
  if ('markup' in content) return content.markup;
  return content.map(markupOf).join('');
};

/** Template tag: literal parts as they are, values escaped. */
export const html = (parts: TemplateStringsArray, ...values: readonly Content[]): Markup => ({
  markup: parts.map((part, index) => part + markupOf(values[index] ?? '')).join(''),
});

/** A name or an id from the report, fit to show. */
export const name = (text: string): string => printable(text, MAX_NAME);
/** A sentence or a header from the report, fit to show. */
export const prose = (text: string): string => printable(text, MAX_TEXT);

/** A name inside a sentence: letters that run from right to left stay in their place. */
export const isolated = (text: string): Markup => html`<bdi>${name(text)}</bdi>`;

/** A part of the page under its heading. */
export const section = (title: string, content: Content): Markup =>
  html`<section>\n<h2>${title}</h2>\n${content}</section>\n`;

export const list = (items: readonly Content[]): Markup =>
  html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>\n`;

/** Terms and what is said of each. */
export const terms = (rows: readonly (readonly [string, Content])[]): Markup =>
  html`<dl>\n${rows.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>\n`)}</dl>\n`;

const CELL = /<(th|td)(?=[ >])/g;

/** A row whose cells name their columns, so that a narrow page can show them below each other. */
const labelled = (row: Content, columns: readonly string[]): Markup => {
  let index = 0;
  const label = (cell: string): string => {
    const column = columns[index++];
    return cell === '<td' && column ? `<td data-label="${escaped(column)}"` : cell;
  };
  return { markup: markupOf(row).replace(CELL, label) };
};

/** A table; on a narrow page its rows become blocks, and elsewhere it scrolls by itself, where a keyboard can reach it. */
export const table = (caption: string, columns: readonly string[], rows: readonly Content[]): Markup =>
  html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>\n<caption>${caption}</caption>\n<thead><tr>${columns.map(
    (column) => html`<th scope="col">${column}</th>`,
  )}</tr></thead>\n<tbody>\n${rows.map((row) => labelled(row, columns))}</tbody>\n</table></div>\n`;

/** The report as JSON: pretty for people and files, or on one line for logs and pipes. */
import type { Report } from '../model/report.js';

/**
 * What JSON.stringify leaves as it is, and a terminal or an editor would act on: DEL and C1 controls, zero-width and
 * bidirectional marks, line and paragraph separators, the byte order mark. Escaped, the document stays equal.
 */
const UNSAFE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

const escapeUnsafe = (json: string): string =>
  json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Indented JSON with a final newline. */
export const renderJson = (report: Report): string => `${escapeUnsafe(JSON.stringify(report, null, 2))}\n`;

/** One line of JSON with a final newline; no other line break occurs in it, not even a Unicode one. */
export const renderNdjson = (report: Report): string => `${escapeUnsafe(JSON.stringify(report))}\n`;

/**
 * Bytes → SIP message: bounds, lines, header fields as they stood, and how much of the bytes is body. What the fields
 * mean is read in sip-fields.ts.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { FIELD_REFUSALS, type Fields, readFields } from './sip-fields.js';
import { TOKEN } from './sip-grammar.js';
import { canonicalName, type RawHeader, type SipMessage, unfolded, usualName } from './sip-message.js';

/** RFC 3261 §18.1.1 asks for 65,535, UDP's own limit; longer ones over TCP are of no use to a probe. */
export const MAX_SIP_BYTES = 65_535;
/** One header field with its folding. The longest of RFC 4475's torture has 0.6 KB; proxies default to 4–8 KB. */
export const MAX_FIELD_BYTES = 8_192;
/** RFC 4475 §3.1.1.7 has 42; Max-Forwards allows 70 Vias and as many Record-Routes on the longest of ways. */
export const MAX_FIELDS = 256;

export const SIP_REFUSALS = [
  ...FIELD_REFUSALS,
  'empty', // nothing, or only CRLFs: a keep-alive and no message
  'too-long',
  'field-too-long',
  'too-many-fields',
  'no-header-end', // no blank line
  'bad-line-break', // a CR or LF by itself: where the line ends depends on the reader
  'bad-field', // a line that is no "name: value"
  'bad-content-length',
  'missing-content-length', // on a stream (RFC 3261 §18.3)
  'body-cut-short', // Content-Length promises more than the datagram holds
] as const;
export type SipRefusal = (typeof SIP_REFUSALS)[number];

const CR = 0x0d;
const LF = 0x0a;
const HEADER_END = '\r\n\r\n';
/** Ten digits: more than any length that fits, and still an exact number. */
const CONTENT_LENGTH = /^\d{1,10}$/;

/** Everything up to the blank line. */
export interface SipHead extends Fields {
  readonly startLine: string;
  readonly headers: readonly RawHeader[];
  /** Null if the sender did not say. */
  readonly contentLength: number | null;
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the blank line starts, or -1. Searches from `from`. */
export const findHeaderEnd = (bytes: Uint8Array, from = 0): number =>
  asBuffer(bytes).indexOf(HEADER_END, from, 'latin1');

/** How many bytes the blank line takes, with the CRLF of the last field. */
export const HEADER_END_BYTES = HEADER_END.length;

/** How many bytes of CRLF stand before a start line; a reader ignores them (RFC 3261 §7.5). */
const leadingCrlfBytes = (bytes: Uint8Array): number => {
  let at = 0;
  while (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
  return at;
};

/** Cuts the text at each CRLF that no white space follows (RFC 3261 §7.3.1). */
const readLines = (text: string): Parsed<readonly string[], SipRefusal> => {
  const lines: string[] = [];
  let start = 0;
  let search = 0;
  while (start <= text.length) {
    const found = text.indexOf('\r', search);
    const lineFeed = text.indexOf('\n', search);
    if (lineFeed !== (found === -1 ? -1 : found + 1)) return refuse('bad-line-break');
    const end = found === -1 ? text.length : found;
    const next = text[end + 2];
    if (found !== -1 && (next === ' ' || next === '\t')) {
      search = end + 2;
      continue;
    }
    if (end - start > MAX_FIELD_BYTES) return refuse('field-too-long');
    if (lines.length > MAX_FIELDS) return refuse('too-many-fields');
    lines.push(text.slice(start, end));
    start = end + 2;
    search = start;
  }
  return accept(lines);
};

const readField = (line: string): RawHeader | null => {
  const colon = line.indexOf(':');
  const usual = colon === -1 ? undefined : usualName(line.slice(0, colon));
  if (usual !== undefined) return { name: line.slice(0, colon), canonical: usual, raw: line.slice(colon + 1) };
  let end = colon;
  while (line[end - 1] === ' ' || line[end - 1] === '\t') end -= 1;
  const name = line.slice(0, end);
  return TOKEN.test(name) ? { name, canonical: canonicalName(name), raw: line.slice(colon + 1) } : null;
};

const contentLengthOf = (fields: readonly RawHeader[]): Parsed<number | null, SipRefusal> => {
  const field = fields.find((candidate) => candidate.canonical === 'content-length');
  if (field === undefined) return accept(null);
  const digits = unfolded(field.raw);
  return CONTENT_LENGTH.test(digits) ? accept(Number(digits)) : refuse('bad-content-length');
};

/**
 * Reads start line and header fields.
 * @param bytes what stands before the blank line, without CRLFs at either end
 */
export const parseHead = (bytes: Uint8Array): Parsed<SipHead, SipRefusal> => {
  const lines = readLines(asBuffer(bytes).toString('latin1'));
  if (!lines.ok) return lines;
  const startLine = lines.value[0] ?? '';
  const headers: RawHeader[] = [];
  for (let at = 1; at < lines.value.length; at += 1) {
    const field = readField(lines.value[at] ?? '');
    if (field === null) return refuse('bad-field');
    headers.push(field);
  }
  const fields = readFields(startLine, headers);
  if (!fields.ok) return fields;
  const contentLength = contentLengthOf(headers);
  if (!contentLength.ok) return contentLength;
  const { start, essentials } = fields.value;
  return accept({ start, essentials, startLine, headers, contentLength: contentLength.value });
};

/** The message that consists of this head and this body. */
export const messageOf = ({ start, essentials, startLine, headers }: SipHead, body: Uint8Array): SipMessage =>
  start.kind === 'request'
    ? { kind: start.kind, method: start.method, uri: start.uri, startLine, headers, essentials, body }
    : { kind: start.kind, status: start.status, reason: start.reason, startLine, headers, essentials, body };

/**
 * Parses one datagram. CRLFs before the message are skipped; bytes after the body that Content-Length promises are cut
 * off, and a datagram that holds fewer is refused; without Content-Length the body goes to the end (RFC 3261 §18.3).
 * @returns the message, whose body is a view into `bytes`, or why it is none
 */
export const parseSip = (bytes: Uint8Array): Parsed<SipMessage, SipRefusal> => {
  if (bytes.length > MAX_SIP_BYTES) return refuse('too-long');
  const start = leadingCrlfBytes(bytes);
  if (start === bytes.length) return refuse('empty');
  const end = findHeaderEnd(bytes, start);
  if (end === -1) return refuse('no-header-end');
  const head = parseHead(bytes.subarray(start, end));
  if (!head.ok) return head;
  const rest = bytes.subarray(end + HEADER_END_BYTES);
  const bodyBytes = head.value.contentLength ?? rest.length;
  if (bodyBytes > rest.length) return refuse('body-cut-short');
  return accept(messageOf(head.value, rest.subarray(0, bodyBytes)));
};

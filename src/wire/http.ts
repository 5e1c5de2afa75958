/** As much of HTTP/1.1 (RFC 9112) as a path test needs: one GET, the head of one answer, one answer of our own. */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { TAG_HEADER } from './carriers.js';

const HTTP_REFUSALS = ['partial', 'not-http', 'head-too-long'] as const;
type HttpRefusal = (typeof HTTP_REFUSALS)[number];

interface HttpHead {
  readonly status: number;
  /** Lower-case names; of a repeated field the first. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Servers refuse heads longer than 8 KiB to 16 KiB; so do we. */
const MAX_HEAD_BYTES = 16_384;
const MAX_FIELDS = 100;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?$/;
const REQUEST_LINE = /^[A-Z]{3,10} [^ \r\n]{1,2048} HTTP\/1\.[01]$/;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

const headLines = (bytes: Uint8Array): Parsed<readonly string[], HttpRefusal> => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MAX_HEAD_BYTES));
  const end = buffer.indexOf(END_OF_HEAD);
  if (end < 0) return refuse(bytes.byteLength >= MAX_HEAD_BYTES ? 'head-too-long' : 'partial');
  return accept(buffer.subarray(0, end).toString('latin1').split('\r\n'));
};

const fieldsOf = (lines: readonly string[]): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>();
  for (const line of lines.slice(0, MAX_FIELDS)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
};

/** Reads the head of a response; `partial` until all of it is there. */
export const parseResponseHead = (bytes: Uint8Array): Parsed<HttpHead, HttpRefusal> => {
  const prefix = Buffer.from(bytes.subarray(0, 5)).toString('latin1');
  if (!'HTTP/'.startsWith(prefix)) return refuse('not-http');
  const lines = headLines(bytes);
  if (!lines.ok) return lines;
  const [first = '', ...rest] = lines.value;
  const status = STATUS_LINE.exec(first)?.[1];
  return status === undefined ? refuse('not-http') : accept({ status: Number(status), fields: fieldsOf(rest) });
};

/** Reads the head of a request: only its fields matter to us. */
export const parseRequestHead = (bytes: Uint8Array): Parsed<ReadonlyMap<string, string>, HttpRefusal> => {
  const lines = headLines(bytes);
  if (!lines.ok) return lines;
  const [first = '', ...rest] = lines.value;
  return REQUEST_LINE.test(first) ? accept(fieldsOf(rest)) : refuse('not-http');
};

/** The exact bytes of a head, its empty line included; null while it is incomplete. */
export const headBytes = (bytes: Uint8Array): Uint8Array | null => {
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(END_OF_HEAD);
  return end < 0 ? null : bytes.subarray(0, end + END_OF_HEAD.length);
};

/** A host as it stands in the Host field (RFC 9110 §7.2): IPv6 in brackets. */
const hostField = (host: string, port: number): string => {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === 80 ? name : `${name}:${port}`;
};

export const buildGet = (host: string, port: number, tag: string | null): Uint8Array =>
  Buffer.from(
    [
      'GET / HTTP/1.1',
      `Host: ${hostField(host, port)}`,
      'User-Agent: callpath',
      'Accept: */*',
      'Cache-Control: no-store',
      'Connection: close',
      ...(tag === null ? [] : [`${TAG_HEADER}: ${tag}`]),
      '',
      '',
    ].join('\r\n'),
    'latin1',
  );

export const buildResponse = (status: number, reason: string, tag: string | null, body: string): Uint8Array =>
  Buffer.from(
    [
      `HTTP/1.1 ${status} ${reason}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      'Connection: close',
      ...(tag === null ? [] : [`${TAG_HEADER}: ${tag}`]),
      '',
      body,
    ].join('\r\n'),
    'utf8',
  );

/**
 * A record as one line of a segment: `CRC SEQ FORM PAYLOAD`. A line and not a length-prefixed frame, because after a
 * damaged line the next newline is the way back in: one bad sector costs one record and not the rest of the segment.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { RECORD_KINDS, type SpoolRecord } from '../exporters/contract.js';

/** CRC-32 (ISO 3309, as in gzip): finds torn and damaged lines; it is no protection against people. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of bytes, as an unsigned number. `node:zlib` has one only since Node 20.15. */
export const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
};

/** Below this, base64 gives back what deflate takes; a report of 11 KB becomes 2.7 KB. */
const COMPRESS_ABOVE = 512;
/** Far above any report; a damaged length must not become an allocation. */
const MAX_INFLATED = 64 * 1024 * 1024;

const NEWLINE = 0x0a;

export interface StoredRecord {
  /** The place in the order of all records; grows by appending, never reused. */
  readonly seq: number;
  readonly record: SpoolRecord;
}

/** The line of a record, with its newline. */
export const encodeLine = ({ seq, record }: StoredRecord): Buffer => {
  const json = JSON.stringify(record);
  const payload = json.length > COMPRESS_ABOVE ? `z ${deflateRawSync(json).toString('base64')}` : `j ${json}`;
  const body = Buffer.from(`${seq} ${payload}`, 'utf8');
  const crc = crc32(body).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`${crc} `), body, Buffer.from([NEWLINE])]);
};

const isRecord = (value: unknown): value is SpoolRecord => {
  if (typeof value !== 'object' || value === null) return false;
  const { id, kind, at, target, body } = value as Readonly<Record<string, unknown>>;
  return (
    [id, at, target].every((field) => typeof field === 'string') &&
    (RECORD_KINDS as readonly unknown[]).includes(kind) &&
    typeof body === 'object' &&
    body !== null
  );
};

/** The sequence number of an undamaged line without its newline, or null. */
const seqOfLine = (line: Uint8Array): number | null => {
  const text = Buffer.from(line.buffer, line.byteOffset, Math.min(line.length, 32)).toString('latin1');
  const match = /^([0-9a-f]{8}) (\d{1,16}) /.exec(text);
  if (!match || Number.parseInt(match[1] ?? '', 16) !== crc32(line.subarray(9))) return null;
  return Number(match[2]);
};

/** The record of a line without its newline, or null if it is damaged. */
export const decodeLine = (line: Uint8Array): StoredRecord | null => {
  const seq = seqOfLine(line);
  if (seq === null) return null;
  const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8');
  const [form, payload] = [text.charAt(10 + String(seq).length), text.slice(12 + String(seq).length)];
  try {
    const json =
      form === 'z'
        ? inflateRawSync(Buffer.from(payload, 'base64'), { maxOutputLength: MAX_INFLATED }).toString('utf8')
        : payload;
    const record: unknown = JSON.parse(json);
    return isRecord(record) ? { seq, record } : null;
  } catch {
    return null;
  }
};

/** Damage, between these numbers. */
export interface Gap {
  /** Null where no undamaged line comes before it. */
  readonly after: number | null;
  readonly before: number;
  readonly bytes: number;
}

/** Where the undamaged lines of a segment lie, and what else is in it. */
interface Scan {
  readonly lines: readonly { readonly seq: number; readonly offset: number; readonly length: number }[];
  /** Damaged bytes between undamaged lines, or before the first; which results they were, their numbers tell. */
  readonly gaps: readonly Gap[];
  /** Up to here the file is whole; what follows was being written when the power went. */
  readonly goodLength: number;
}

/** Finds the lines of a segment. */
export const scanLines = (bytes: Uint8Array): Scan => {
  const lines: { seq: number; offset: number; length: number }[] = [];
  const gaps: Gap[] = [];
  let goodLength = 0;
  for (let offset = 0; offset < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, offset);
    if (end < 0) break;
    const seq = seqOfLine(bytes.subarray(offset, end));
    if (seq !== null) {
      if (offset > goodLength) gaps.push({ after: lines.at(-1)?.seq ?? null, before: seq, bytes: offset - goodLength });
      lines.push({ seq, offset, length: end - offset });
      goodLength = end + 1;
    }
    offset = end + 1;
  }
  return { lines, gaps, goodLength };
};

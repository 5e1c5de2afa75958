/**
 * Where things lie in a DNS message (RFC 1035 §4): every count and length is checked here, in one pass over the bytes
 * and without following a compression pointer, so that the library behind dns.ts only ever sees what adds up.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';

/** RFC 1035 §4.1.1. */
export const DNS_HEADER_BYTES = 12;
/** What the two-byte length of RFC 1035 §4.2.2 can say. */
export const MAX_DNS_BYTES = 65_535;
/** RFC 1035 §3.1 allows 255 octets on the wire, which is 253 characters without the root's dot. */
export const MAX_DNS_NAME = 253;
/** RFC 1035 §2.3.4. */
export const MAX_DNS_LABEL = 63;
/**
 * All sections together. The root's own referral has 40; more only costs time, because each record's name may be a
 * chain of pointers through the whole message.
 */
const MAX_RECORDS = 64;
/** A name without its root label, as RFC 1035 §3.1 counts it with the length bytes. */
const MAX_NAME_OCTETS = 254;

const OPT = 41;
const CLASS_IN = 1;

/** Record types that are read; a message may hold any others, which are passed over. */
const DNS_TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, SRV: 33, NAPTR: 35 } as const;
export type DnsType = keyof typeof DNS_TYPES;

export const DNS_REFUSALS = [
  'truncated', // ends inside a header, name or record
  'too-long',
  'question-count', // more than the one question that anybody asks (RFC 9619)
  'too-many-records',
  'bad-name', // too long, compressed where it cannot be, a pointer loop, or characters that no host name has
  'bad-record', // the data is not what its type says, or a second or misplaced OPT (RFC 6891 §6.1.1)
  'trailing-bytes', // bytes after the last record that the header counts
] as const;
export type DnsRefusal = (typeof DNS_REFUSALS)[number];

export interface QuestionLayout {
  /** Without the root's dot; `.` for the root itself. In the case in which it came. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

interface RecordLayout {
  readonly typeAt: number;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly dataAt: number;
  readonly dataEnd: number;
}

export interface DnsLayout {
  readonly question: QuestionLayout | null;
  readonly answers: readonly RecordLayout[];
  readonly opt: RecordLayout | null;
}

/** A view of the same memory with Buffer's readers. */
export const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The offset after a name, which ends in the root label or in a pointer (RFC 1035 §4.1.4). */
const skipName = (bytes: Buffer, start: number, end: number): Parsed<number, DnsRefusal> => {
  let at = start;
  while (at < end) {
    const length = bytes.readUInt8(at);
    if (length === 0) return accept(at + 1);
    if (length >= 0xc0) return at + 2 <= end ? accept(at + 2) : refuse('truncated');
    if (length > MAX_DNS_LABEL) return refuse('bad-name');
    at += 1 + length;
    if (at - start > MAX_NAME_OCTETS) return refuse('bad-name');
  }
  return refuse('truncated');
};

/** The characters that make sense in a question; a dot inside a label could not be told from one between labels. */
const isLabel = (label: string): boolean => /^[\x21-\x2d\x2f-\x7e]+$/.test(label);

/** The first name of a message has nothing before it that a pointer could mean, so it is spelt out. */
const readQuestion = (bytes: Buffer): Parsed<{ question: QuestionLayout; end: number }, DnsRefusal> => {
  const skipped = skipName(bytes, DNS_HEADER_BYTES, bytes.length);
  if (!skipped.ok) return skipped;
  const end = skipped.value;
  const labels: string[] = [];
  let at = DNS_HEADER_BYTES;
  while (at < end - 1) {
    const length = bytes.readUInt8(at);
    const label = bytes.toString('latin1', at + 1, at + 1 + length);
    if (length >= 0xc0 || !isLabel(label)) return refuse('bad-name');
    labels.push(label);
    at += 1 + length;
  }
  if (end + 4 > bytes.length) return refuse('truncated');
  const name = labels.length === 0 ? '.' : labels.join('.');
  return accept({
    question: { name, type: bytes.readUInt16BE(end), class: bytes.readUInt16BE(end + 2) },
    end: end + 4,
  });
};

/** The offset after `count` character-strings (RFC 1035 §3.3), or after as many as there are; -1 if one overruns. */
const skipStrings = (bytes: Buffer, start: number, end: number, count = Number.POSITIVE_INFINITY): number => {
  let at = start;
  for (let index = 0; index < count && at < end; index += 1) at += 1 + bytes.readUInt8(at);
  return at <= end ? at : -1;
};

/** Does the data of a record that is read fill its stated length exactly? Other types are not looked into. */
const dataFits = (bytes: Buffer, { type, dataAt, dataEnd }: RecordLayout): boolean => {
  const nameFills = (at: number): boolean => {
    const skipped = skipName(bytes, at, dataEnd);
    return skipped.ok && skipped.value === dataEnd;
  };
  switch (type) {
    case DNS_TYPES.A:
      return dataEnd - dataAt === 4;
    case DNS_TYPES.AAAA:
      return dataEnd - dataAt === 16;
    case DNS_TYPES.TXT:
      return dataEnd > dataAt && skipStrings(bytes, dataAt, dataEnd) === dataEnd;
    case DNS_TYPES.CNAME:
    case DNS_TYPES.NS:
      return nameFills(dataAt);
    case DNS_TYPES.SRV:
      return nameFills(dataAt + 6);
    case DNS_TYPES.NAPTR: {
      const replacementAt = skipStrings(bytes, dataAt + 4, dataEnd, 3);
      return replacementAt !== -1 && nameFills(replacementAt);
    }
    default:
      return true;
  }
};

const READ_TYPES: ReadonlySet<number> = new Set<number>([
  DNS_TYPES.A,
  DNS_TYPES.AAAA,
  DNS_TYPES.TXT,
  DNS_TYPES.CNAME,
  DNS_TYPES.NS,
  DNS_TYPES.SRV,
  DNS_TYPES.NAPTR,
]);

/** Is it a record of class IN and of a type that dns.ts reads? */
export const isRead = (record: RecordLayout): boolean => record.class === CLASS_IN && READ_TYPES.has(record.type);

const readRecord = (bytes: Buffer, start: number): Parsed<RecordLayout, DnsRefusal> => {
  const skipped = skipName(bytes, start, bytes.length);
  if (!skipped.ok) return skipped;
  const typeAt = skipped.value;
  const dataAt = typeAt + 10;
  if (dataAt > bytes.length) return refuse('truncated');
  const record: RecordLayout = {
    typeAt,
    type: bytes.readUInt16BE(typeAt),
    class: bytes.readUInt16BE(typeAt + 2),
    ttl: bytes.readUInt32BE(typeAt + 4),
    dataAt,
    dataEnd: dataAt + bytes.readUInt16BE(typeAt + 8),
  };
  if (record.dataEnd > bytes.length) return refuse('truncated');
  // OPT stands at the root, one byte of name (RFC 6891 §6.1.2).
  if (record.type === OPT && typeAt !== start + 1) return refuse('bad-record');
  return isRead(record) && !dataFits(bytes, record) ? refuse('bad-record') : accept(record);
};

/** Walks the whole message once. Never throws; linear in its length. */
export const layOut = (bytes: Buffer): Parsed<DnsLayout, DnsRefusal> => {
  if (bytes.length > MAX_DNS_BYTES) return refuse('too-long');
  if (bytes.length < DNS_HEADER_BYTES) return refuse('truncated');
  const questions = bytes.readUInt16BE(4);
  const answers = bytes.readUInt16BE(6);
  const beforeAdditionals = answers + bytes.readUInt16BE(8);
  const total = beforeAdditionals + bytes.readUInt16BE(10);
  if (questions > 1) return refuse('question-count');
  if (total > MAX_RECORDS) return refuse('too-many-records');

  let at = DNS_HEADER_BYTES;
  let question: QuestionLayout | null = null;
  if (questions === 1) {
    const read = readQuestion(bytes);
    if (!read.ok) return read;
    question = read.value.question;
    at = read.value.end;
  }

  const records: RecordLayout[] = [];
  let opt: RecordLayout | null = null;
  for (let index = 0; index < total; index += 1) {
    const read = readRecord(bytes, at);
    if (!read.ok) return read;
    at = read.value.dataEnd;
    if (read.value.type === OPT) {
      if (opt !== null || index < beforeAdditionals) return refuse('bad-record');
      opt = read.value;
    }
    if (index < answers) records.push(read.value);
  }
  return at === bytes.length ? accept({ question, answers: records, opt }) : refuse('trailing-bytes');
};

/**
 * Cheap test for demultiplexing: could these bytes be a standard query? Responses never pass, so that two of us cannot
 * keep answering each other.
 */
export const looksLikeDnsQuery = (bytes: Uint8Array): boolean => {
  // The shortest question is the root's: one byte of name, type and class.
  if (bytes.length < DNS_HEADER_BYTES + 5 || bytes.length > MAX_DNS_BYTES) return false;
  const view = viewOf(bytes);
  // QR, opcode, AA, TC, RA and Z are zero in a query; RD, AD and CD may be set (RFC 1035 §4.1.1, RFC 4035 §3).
  return (
    (view.readUInt16BE(2) & 0xfecf) === 0 &&
    view.readUInt16BE(4) === 1 &&
    view.readUInt32BE(6) === 0 &&
    // OPT, and TSIG or SIG(0) after it.
    view.readUInt16BE(10) <= 2 &&
    view.readUInt8(DNS_HEADER_BYTES) <= MAX_DNS_LABEL
  );
};

/**
 * DNS messages (RFC 1035, EDNS(0) of RFC 6891): queries, and answers as small as they can be. dns-layout.ts checks the
 * structure, the library `dns-packet` turns records into values; it takes some 25 ms to load and is imported here only.
 */
import { type Answer, decode, encode } from 'dns-packet';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import {
  DNS_HEADER_BYTES,
  type DnsLayout,
  type DnsRefusal,
  type DnsType,
  isRead,
  layOut,
  MAX_DNS_BYTES,
  MAX_DNS_LABEL,
  MAX_DNS_NAME,
  type QuestionLayout,
  viewOf,
} from './dns-layout.js';

export { type DnsLabelRefusal, labelsToTag, tagToLabels } from './dns-labels.js';
export { DNS_REFUSALS, type DnsRefusal, type DnsType, looksLikeDnsQuery } from './dns-layout.js';
export { type DnsStream, type DnsStreamItem, dnsStream, frameDnsTcp } from './dns-stream.js';

/** Response codes that are sent or looked for (RFC 6895 §2.3); others are plain numbers. */
export const RCODES = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

/** Fits into the smallest IPv6 path without fragments: 1,280 less 48 of headers. What resolvers settled on in 2020. */
const EDNS_PAYLOAD_BYTES = 1_232;

const FLAG = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;
const NULL_TYPE = 10;
const OPT_TYPE = 41;
const TXT_TYPE = 16;
const CLASS_IN = 1;
/** EDNS option 12 (RFC 7830 §3). */
const PADDING_OPTION = 12;
/** An OPT record without options: root name, type, class, TTL, length. */
const OPT_BYTES = 11;
/** Option code and length. */
const OPTION_HEADER_BYTES = 4;
/** Length byte of a character-string (RFC 1035 §3.3). */
const MAX_STRING = 255;

type DnsFlags = { readonly [flag in keyof typeof FLAG]: boolean };
type DnsQuestion = QuestionLayout;

/** A record of class IN; names without the root's dot, `.` for the root. */
export type DnsRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'NS'; readonly target: string }
  /** All its character-strings as one, as they are meant to be read. */
  | { readonly type: 'TXT'; readonly bytes: Uint8Array }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: 'NAPTR';
      readonly order: number;
      readonly preference: number;
      readonly flags: string;
      readonly service: string;
      readonly regexp: string;
      readonly replacement: string;
    }
);

interface Edns {
  readonly version: number;
  readonly udpPayloadBytes: number;
  readonly dnssecOk: boolean;
}

export interface DnsMessage {
  readonly id: number;
  /** 0 is a standard query. */
  readonly opcode: number;
  readonly flags: DnsFlags;
  /** With the upper bits that EDNS adds. */
  readonly rcode: number;
  /** Null in some error responses only. */
  readonly question: DnsQuestion | null;
  /** The answer section; records of other types and classes are left out. */
  readonly answers: readonly DnsRecord[];
  readonly edns: Edns | null;
}

/** Hosts and services have printable ASCII names; anything else would only harm whoever prints it. */
const isPlain = (name: string): boolean => name.length <= MAX_DNS_NAME && /^[\x21-\x7e]+$/.test(name);

const toRecord = (answer: Answer): DnsRecord | null => {
  if (answer.type === 'OPT') return null;
  const common = { name: answer.name, ttl: answer.ttl ?? 0 };
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { ...common, type: answer.type, address: answer.data };
    case 'CNAME':
    case 'NS':
      return { ...common, type: answer.type, target: answer.data };
    case 'TXT':
      return { ...common, type: 'TXT', bytes: Buffer.concat([answer.data].flat().map((part) => Buffer.from(part))) };
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return { ...common, type: 'SRV', priority, weight, port, target };
    }
    case 'NAPTR': {
      const { order, preference, flags, services, regexp, replacement } = answer.data;
      return { ...common, type: 'NAPTR', order, preference, flags, service: services, regexp, replacement };
    }
    default:
      return null;
  }
};

const namesOf = (record: DnsRecord): readonly string[] => {
  if ('target' in record) return [record.name, record.target];
  return record.type === 'NAPTR' ? [record.name, record.replacement] : [record.name];
};

/**
 * The library gets a copy that holds only the answers, with what we do not read disguised as NULL records: it throws on
 * odd records of types that nobody asked for.
 */
const readAnswers = (bytes: Buffer, layout: DnsLayout): Parsed<readonly DnsRecord[], DnsRefusal> => {
  const read = layout.answers.filter(isRead);
  if (read.length === 0) return accept([]);
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(0, 8);
  for (const record of layout.answers) if (!isRead(record)) copy.writeUInt16BE(NULL_TYPE, record.typeAt);
  let decoded: readonly Answer[];
  try {
    decoded = decode(copy).answers ?? [];
  } catch {
    // Structure and lengths are known to be right: what is left to be wrong is where a pointer leads.
    return refuse('bad-name');
  }
  const records = decoded.map(toRecord).filter((record) => record !== null);
  return records.every((record) => namesOf(record).every(isPlain)) ? accept(records) : refuse('bad-name');
};

/** Reads a query or response. Never throws; time is bounded by the message's length. */
export const parseDns = (input: Uint8Array): Parsed<DnsMessage, DnsRefusal> => {
  const bytes = viewOf(input);
  const layout = layOut(bytes);
  if (!layout.ok) return layout;
  const answers = readAnswers(bytes, layout.value);
  if (!answers.ok) return answers;
  const { question, opt } = layout.value;
  const bits = bytes.readUInt16BE(2);
  const has = (flag: keyof typeof FLAG): boolean => (bits & FLAG[flag]) !== 0;
  return accept({
    id: bytes.readUInt16BE(0),
    opcode: (bits >> 11) & 0xf,
    flags: {
      response: has('response'),
      authoritative: has('authoritative'),
      truncated: has('truncated'),
      recursionDesired: has('recursionDesired'),
      recursionAvailable: has('recursionAvailable'),
      checkingDisabled: has('checkingDisabled'),
    },
    // RFC 6891 §6.1.3 puts the upper eight bits, the version and DO where other records have their TTL.
    rcode: (bits & 0xf) | (opt === null ? 0 : (opt.ttl >>> 24) << 4),
    question,
    answers: answers.value,
    edns: opt && {
      version: (opt.ttl >>> 16) & 0xff,
      udpPayloadBytes: opt.class,
      dnssecOk: (opt.ttl & 0x8000) !== 0,
    },
  });
};

/** A name on the wire, uncompressed. Throws a RangeError if it is no name. */
const encodeName = (name: string): Buffer => {
  if (name === '.') return Buffer.of(0);
  const labels = name.replace(/\.$/, '').split('.');
  if (!isPlain(name) || labels.some((label) => label.length < 1 || label.length > MAX_DNS_LABEL)) {
    throw new RangeError('not a DNS name');
  }
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.of(0),
  ]);
};

interface QueryFields {
  /** 16 bits; random, because it is what an off-path forger has to guess (RFC 5452 §4.3). */
  readonly id: number;
  readonly name: string;
  readonly type: DnsType;
  readonly recursionDesired: boolean;
  /** Pads the message to this many bytes (RFC 7830); one that is longer already is not cut. At most 65,535. */
  readonly padTo?: number;
}

/** Builds a query of class IN. Throws a RangeError for a name that cannot be put into one: validate it first. */
export const buildQuery = ({ id, name, type, recursionDesired, padTo }: QueryFields): Uint8Array => {
  const bare = DNS_HEADER_BYTES + encodeName(name).length + 4;
  const padding = Math.min(padTo ?? 0, MAX_DNS_BYTES) - bare - OPT_BYTES - OPTION_HEADER_BYTES;
  return encode({
    type: 'query',
    id,
    flags: recursionDesired ? FLAG.recursionDesired : 0,
    questions: [{ name, type, class: 'IN' }],
    additionals:
      padTo === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: EDNS_PAYLOAD_BYTES,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [{ code: PADDING_OPTION, length: Math.max(0, padding) }],
            },
          ],
  });
};

interface ResponseFields {
  /** Above 15 it needs the query's EDNS; without it the upper bits are lost. */
  readonly rcode: number;
  /** The data of one TXT record, cut into character-strings as needed. */
  readonly txt?: Uint8Array;
}

/** The one record that the library would write longer: it repeats the name, a pointer to the question does not. */
const txtRecord = (data: Uint8Array): Buffer => {
  const strings: Uint8Array[] = [];
  for (let at = 0; at < data.length || at === 0; at += MAX_STRING) {
    const part = data.subarray(at, at + MAX_STRING);
    strings.push(Buffer.of(part.length), part);
  }
  const text = Buffer.concat(strings);
  // TTL 0: an answer is a proof for one question, and no cache may give it to another (RFC 1035 §3.2.1).
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | DNS_HEADER_BYTES, 0);
  head.writeUInt16BE(TXT_TYPE, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt16BE(text.length, 10);
  return Buffer.concat([head, text]);
};

/**
 * Builds the response to a query: its question in the same letters (resolvers mix case to be harder to forge), and an
 * OPT record only where the query had one, as RFC 6891 §6.1.1 demands; so without `txt` it is never longer than the
 * query. With `txt` the sender compares the lengths before it answers over UDP.
 */
export const buildResponse = (query: DnsMessage, { rcode, txt }: ResponseFields): Uint8Array => {
  const { question, flags } = query;
  const record = txt && question ? txtRecord(txt) : null;
  const header = Buffer.alloc(DNS_HEADER_BYTES);
  header.writeUInt16BE(query.id, 0);
  header.writeUInt16BE(
    FLAG.response |
      (query.opcode << 11) |
      (record ? FLAG.authoritative : 0) |
      // Copied from the query (RFC 1035 §4.1.1, RFC 4035 §3.2.2).
      (flags.recursionDesired ? FLAG.recursionDesired : 0) |
      (flags.checkingDisabled ? FLAG.checkingDisabled : 0) |
      (rcode & 0xf),
    2,
  );
  header.writeUInt16BE(question ? 1 : 0, 4);
  header.writeUInt16BE(record ? 1 : 0, 6);
  header.writeUInt16BE(query.edns ? 1 : 0, 10);
  const parts: Uint8Array[] = [header];
  if (question) {
    const kind = Buffer.alloc(4);
    kind.writeUInt16BE(question.type, 0);
    kind.writeUInt16BE(question.class, 2);
    parts.push(encodeName(question.name), kind);
  }
  if (record) parts.push(record);
  if (query.edns) {
    const opt = Buffer.alloc(OPT_BYTES);
    opt.writeUInt16BE(OPT_TYPE, 1);
    opt.writeUInt16BE(EDNS_PAYLOAD_BYTES, 3);
    opt.writeUInt8((rcode >> 4) & 0xff, 5);
    parts.push(opt);
  }
  return Buffer.concat(parts);
};

/**
 * Is it a response to this query? Names are compared without case: some middleboxes flatten it, and RFC 4343 makes
 * them equal.
 */
export const answersQuestion = (query: DnsMessage, response: DnsMessage): boolean =>
  !query.flags.response &&
  response.flags.response &&
  response.id === query.id &&
  response.opcode === query.opcode &&
  query.question !== null &&
  response.question !== null &&
  response.question.type === query.question.type &&
  response.question.class === query.question.class &&
  response.question.name.toLowerCase() === query.question.name.toLowerCase();

/**
 * A SIP message as read from the wire, and how to ask it things. All text in it is latin1, one character per byte, so
 * that what a middlebox changed can be compared byte by byte; UTF-8 (RFC 3261 §7) shows as its single bytes.
 */

import { PADDING_HEADER, TAG_HEADER } from './carriers.js';

/** One header field as it stood on the wire. */
export interface RawHeader {
  /** As sent, without the white space that may stand before the colon. */
  readonly name: string;
  /** Lower case, compact forms expanded: `v` and `VIA` are both `via`. */
  readonly canonical: string;
  /** Every byte between the colon and the CRLF that ends the field, folding included. */
  readonly raw: string;
}

/** The topmost Via: where the answer goes (RFC 3261 §18.2.2) and whose transaction it is (§17). */
export interface Via {
  /** Upper case: `UDP`, `TCP`, `TLS` …, or anything else that the sender made up. */
  readonly transport: string;
  /** Sent-by host; an IPv6 address stands here without brackets. */
  readonly host: string;
  /** Sent-by port, 1–65535, or null for the transport's default. */
  readonly port: number | null;
  readonly branch: string | null;
  /** An IPv6 address stands here without brackets, with which some stacks send it (RFC 5118 §4.5). */
  readonly received: string | null;
  /** `present` is a request's `;rport`, still to be filled in by the server (RFC 3581 §3). */
  readonly rport: number | 'present' | null;
  readonly maddr: string | null;
}

export interface CSeq {
  readonly sequence: number;
  readonly method: string;
}

/** What every message must have (RFC 3261 §8.1.1), read out. Tags are null where RFC 2543 peers leave them out. */
export interface Essentials {
  readonly via: Via;
  readonly cseq: CSeq;
  readonly callId: string;
  readonly fromTag: string | null;
  readonly toTag: string | null;
}

interface MessageCommon {
  /** First line without its CRLF. */
  readonly startLine: string;
  /** In the order in which they came. */
  readonly headers: readonly RawHeader[];
  readonly essentials: Essentials;
  /** A view into the bytes that were parsed. */
  readonly body: Uint8Array;
}

export interface SipRequest extends MessageCommon {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}

export interface SipResponse extends MessageCommon {
  readonly kind: 'response';
  /** 100–699. */
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;

/** Compact forms: RFC 3261 §7.3.3, and those that later RFCs registered with IANA. */
const COMPACT_FORMS: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** As nearly everybody spells them. Looking a name up costs a fraction of what checking and lowering it does. */
const USUAL_SPELLINGS: ReadonlyMap<string, string> = new Map(
  [
    ...['Via', 'Max-Forwards', 'From', 'To', 'Call-ID', 'CSeq', 'Contact', 'User-Agent', 'Server', 'Accept', 'Allow'],
    ...['Supported', 'Content-Type', 'Content-Length', 'Expires', 'Record-Route', 'Route', TAG_HEADER, PADDING_HEADER],
  ].map((name) => [name, name.toLowerCase()]),
);

/** The canonical name where it stands in its usual spelling; undefined says nothing about a name. */
export const usualName = (name: string): string | undefined => USUAL_SPELLINGS.get(name);

/** The lower-case long name of a header field (RFC 3261 §7.3.1: names are case-insensitive). */
export const canonicalName = (name: string): string => {
  const usual = usualName(name);
  if (usual !== undefined) return usual;
  const lower = name.toLowerCase();
  return COMPACT_FORMS.get(lower) ?? lower;
};

const isBlank = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t';

/**
 * A raw value unfolded (RFC 3261 §7.3.1) and without the white space around it. A loop and not a pattern: an unanchored
 * "blanks up to the end" takes quadratic time on blanks that are not at the end, and `trim` eats the byte 0xA0.
 */
export const unfolded = (raw: string): string => {
  const text = raw.includes('\r') ? raw.replace(/\r\n[ \t]+/g, ' ') : raw;
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text, from)) from += 1;
  while (to > from && isBlank(text, to - 1)) to -= 1;
  return text.slice(from, to);
};

/** All values of a header, one per field, unfolded; a field that lists several with commas stays one text. */
export const headers = (message: SipMessage, name: string): readonly string[] => {
  const wanted = canonicalName(name);
  return message.headers.filter((field) => field.canonical === wanted).map((field) => unfolded(field.raw));
};

/** The first value of a header, unfolded, or null. */
export const header = (message: SipMessage, name: string): string | null => {
  const wanted = canonicalName(name);
  const field = message.headers.find((candidate) => candidate.canonical === wanted);
  return field === undefined ? null : unfolded(field.raw);
};

export const topVia = (message: SipMessage): Via => message.essentials.via;
export const cseq = (message: SipMessage): CSeq => message.essentials.cseq;
export const callId = (message: SipMessage): string => message.essentials.callId;
export const fromTag = (message: SipMessage): string | null => message.essentials.fromTag;
export const toTag = (message: SipMessage): string | null => message.essentials.toTag;

/** 1xx: more will follow (RFC 3261 §7.2). */
export const isProvisional = (response: SipResponse): boolean => response.status < 200;
/** 2xx–6xx: ends the transaction. */
export const isFinal = (response: SipResponse): boolean => response.status >= 200;

/** What a client remembers of a request in order to know its answers. */
export interface SentRequest {
  readonly branch: string;
  readonly method: string;
  /** The CSeq number. */
  readonly cseq: number;
  readonly callId: string;
  readonly fromTag: string;
  /** Left out, the answer's sent-by is not looked at: an ALG may have rewritten it, which is a finding and no mismatch. */
  readonly sentBy?: { readonly host: string; readonly port: number | null };
}

/**
 * Whether a response answers this request: branch and CSeq method (RFC 3261 §17.1.3), sent-by (§18.1.2), and, because
 * strangers may send us anything, also what a server copies unchanged: CSeq number, Call-ID and From tag (§8.2.6.2).
 * The branch is compared to the letter, although tokens may change case: no server has a reason to change ours.
 */
export const matchesTransaction = (sent: SentRequest, response: SipResponse): boolean => {
  const { via, cseq, callId, fromTag } = response.essentials;
  return (
    via.branch === sent.branch &&
    cseq.method === sent.method &&
    cseq.sequence === sent.cseq &&
    callId === sent.callId &&
    fromTag === sent.fromTag &&
    (sent.sentBy === undefined ||
      (via.host.toLowerCase() === sent.sentBy.host.toLowerCase() && via.port === sent.sentBy.port))
  );
};

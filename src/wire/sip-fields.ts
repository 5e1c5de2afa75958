/**
 * Reads the start line, Via, From, To and CSeq with the npm package `sip`.
 *
 * The library is handed five short fields in one plain shape, never the message: given the message, its patterns take
 * cubic time on some values, `%` in a method is undone, an IPv6 host ends at its first colon, `__proto__` is a header
 * like any other, and what it cannot read it leaves out silently. Hence: checked against the grammar by anchored linear
 * patterns, quotes blotted out, white space squeezed, what its grammar lacks sent through in percent escapes, and
 * its result counted against what went in.
 */
import sip, { type Params, type ParsedVia } from 'sip';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { CALL_ID, MAX_CSEQ, maskQuoted, TOKEN_CHARACTER, URI } from './sip-grammar.js';
import { type Essentials, type RawHeader, unfolded, type Via } from './sip-message.js';

export const FIELD_REFUSALS = [
  'bad-start-line',
  'unsupported-version', // not SIP/2.0; a server would say 505
  'missing-header', // one of Via, From, To, Call-ID, CSeq
  'repeated-header', // one that may stand only once, twice
  'bad-via',
  'bad-address', // From or To
  'bad-call-id',
  'bad-cseq',
  'cseq-mismatch', // CSeq names another method than the request line (RFC 3261 §8.1.1.5)
] as const;
type FieldRefusal = (typeof FIELD_REFUSALS)[number];

type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string };

export interface Fields {
  readonly start: StartLine;
  readonly essentials: Essentials;
}

/** A tighter reading than some peers': exactly one space between the parts (RFC 3261 §7.1). */
const REQUEST_LINE = new RegExp(`^(${TOKEN_CHARACTER}+) ([^ ]+) [Ss][Ii][Pp]/(\\d{1,3}\\.\\d{1,3})$`);
/** The reason may be empty, and some stacks then leave out the space as well. */
const STATUS_LINE = /^[Ss][Ii][Pp]\/(\d{1,3}\.\d{1,3}) ([1-6]\d\d)(?: ([^\r\n]*))?$/;
const VERSION = '2.0';

const PARAMETERS = `(?:;${TOKEN_CHARACTER}+(?:=(?:[A-Za-z0-9\\-.!%*_+\`'~:[\\]]+|"q*"))?)*`;
const PARAMETERS_ONLY = new RegExp(`^${PARAMETERS}$`);
const VIA = new RegExp(
  `^[Ss][Ii][Pp]/2\\.0/(${TOKEN_CHARACTER}+) (\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)(?::(\\d{1,5}))?(${PARAMETERS})$`,
);
const CSEQ = new RegExp(`^(\\d{1,10})[ \\t]+(${TOKEN_CHARACTER}+)$`);
/** Bare words, or bytes of UTF-8 that should have been quoted and often are not. */
const UNQUOTED_NAME = /^[A-Za-z0-9\-.!%*_+`'~ \t\x80-\xff]*$/;
const QUOTED_NAME = /^"q*"[ \t]*$/;

/** Squeezes the white space that RFC 3261 §7.3.1 allows around separators. Two passes keep it linear. */
const squeezed = (text: string): string =>
  /[ \t]/.test(text) ? text.replace(/[ \t]+/g, ' ').replace(/ ?([/;=:]) ?/g, '$1') : text;

/** Carries what the library's grammar lacks through it, and its own unescaping of methods too. */
const shielded = (text: string): string =>
  /[%:[\]]/.test(text)
    ? text.replace(/[%:[\]]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
    : text;
const unshielded = (text: string): string =>
  text.includes('%')
    ? text.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;

const count = (text: string, character: string): number => {
  let found = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) found += 1;
  return found;
};

/**
 * Reads named parameters; undefined if the library did not see as many as were sent. That is the case for repeated ones
 * (RFC 3261 §7.3.1 forbids them) and for names that collide with JavaScript's own.
 */
const namedTokens = <N extends string>(
  params: Params | undefined,
  sent: string,
  names: readonly N[],
): Readonly<Record<N, string | null | undefined>> | undefined => {
  if (params === undefined || Object.keys(params).length !== count(sent, ';')) return undefined;
  const found: Record<string, string | null | undefined> = {};
  for (const name of names) {
    if (!Object.hasOwn(params, name)) continue;
    const value = params[name] ?? null;
    if (value?.startsWith('"')) return undefined;
    found[name] = value === null ? null : unshielded(value);
  }
  return found as Record<N, string | null | undefined>;
};

const withoutBrackets = (host: string): string => (host.startsWith('[') ? host.slice(1, -1) : host);

/** A port in a Via, null for none, undefined for one that cannot be. */
const portOf = (digits: string | null | undefined): number | null | undefined => {
  if (digits === null || digits === undefined) return null;
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
};

interface PlainVia {
  readonly text: string;
  readonly params: string;
}

/** The first Via of a field, in the shape that the library reads; null if it breaks the grammar. */
const plainVia = (value: string): PlainVia | null => {
  const masked = maskQuoted(value);
  if (masked === null) return null;
  const comma = masked.indexOf(',');
  const first = comma === -1 ? masked : masked.slice(0, comma);
  // What matches needs no squeezing. The squeezed text may keep one space at the end, where a comma followed.
  const parts = VIA.exec(first) ?? VIA.exec(squeezed(first).trimEnd());
  if (parts === null) return null;
  const [, transport = '', host = '', port, params = ''] = parts;
  return {
    text: `SIP/2.0/${transport} ${shielded(host)}${port === undefined ? '' : `:${port}`}${shielded(params)}`,
    params,
  };
};

const viaOf = (parsed: ParsedVia | undefined, sent: PlainVia): Via | null => {
  const params = namedTokens(parsed?.params, sent.params, ['branch', 'received', 'rport', 'maddr']);
  const port = portOf(parsed?.port?.toString());
  const rport = portOf(params?.rport);
  if (parsed?.protocol === undefined || parsed.host === undefined || params === undefined) return null;
  if (port === undefined || rport === undefined) return null;
  return {
    transport: parsed.protocol.toUpperCase(),
    host: withoutBrackets(unshielded(parsed.host)),
    port,
    branch: params.branch ?? null,
    received: params.received == null ? null : withoutBrackets(params.received),
    rport: params.rport === null ? 'present' : rport,
    maddr: params.maddr == null ? null : withoutBrackets(params.maddr),
  };
};

interface PlainAddress {
  readonly text: string;
  readonly params: string;
}

/** From or To without its display name, in the shape that the library reads; null if it breaks the grammar. */
const plainAddress = (value: string): PlainAddress | null => {
  const masked = maskQuoted(value);
  if (masked === null) return null;
  const open = masked.indexOf('<');
  const close = masked.indexOf('>', open);
  if (open !== -1 && close === -1) return null;
  const name = open === -1 ? '' : masked.slice(0, open);
  if (!UNQUOTED_NAME.test(name) && !QUOTED_NAME.test(name)) return null;
  const bareEnd = masked.includes(';') ? masked.indexOf(';') : masked.length;
  const uri = open === -1 ? masked.slice(0, bareEnd).trimEnd() : masked.slice(open + 1, close);
  const params = squeezed(open === -1 ? masked.slice(bareEnd) : masked.slice(close + 1)).trim();
  if (!URI.test(uri) || !PARAMETERS_ONLY.test(params)) return null;
  return { text: `<${uri}>${shielded(params)}`, params };
};

/** Undefined if the tag cannot be had although the field has parameters that may hold one. */
const tagOf = (params: Params | undefined, sent: PlainAddress): string | null | undefined => {
  const found = namedTokens(params, sent.params, ['tag']);
  if (found === undefined || found.tag === null) return undefined;
  return found.tag ?? null;
};

/** The start line in the shape that the library reads: upper-case SIP, the method shielded from its unescaping. */
const plainStartLine = (startLine: string): Parsed<string, FieldRefusal> => {
  const status = STATUS_LINE.exec(startLine);
  if (status !== null) {
    const [, version, code = '', reason = ''] = status;
    return version === VERSION ? accept(`SIP/${VERSION} ${code} ${reason}`) : refuse('unsupported-version');
  }
  const [, method, uri, version] = REQUEST_LINE.exec(startLine) ?? [];
  if (method === undefined || uri === undefined || !URI.test(uri)) return refuse('bad-start-line');
  return version === VERSION ? accept(`${shielded(method)} ${uri} SIP/${VERSION}`) : refuse('unsupported-version');
};

/** Those that may stand only once (RFC 3261 §7.3.1); two of them would let two readers see two messages. */
const SINGLE = ['from', 'to', 'call-id', 'cseq', 'content-length', 'max-forwards', 'content-type'] as const;

/**
 * Reads what every message must have.
 * @param startLine first line without CRLF
 * @param headers   all header fields, each of bounded length
 */
export const readFields = (startLine: string, headers: readonly RawHeader[]): Parsed<Fields, FieldRefusal> => {
  const start = plainStartLine(startLine);
  if (!start.ok) return start;

  const firstOf = new Map<string, string>();
  const repeated = new Set<string>();
  for (const field of headers) {
    if (firstOf.has(field.canonical)) repeated.add(field.canonical);
    else firstOf.set(field.canonical, unfolded(field.raw));
  }
  const viaValue = firstOf.get('via');
  const fromValue = firstOf.get('from');
  const toValue = firstOf.get('to');
  const callId = firstOf.get('call-id');
  const cseqValue = firstOf.get('cseq');
  if (
    viaValue === undefined ||
    fromValue === undefined ||
    toValue === undefined ||
    callId === undefined ||
    cseqValue === undefined
  ) {
    return refuse('missing-header');
  }
  if (SINGLE.some((name) => repeated.has(name))) return refuse('repeated-header');

  const via = plainVia(viaValue);
  if (via === null) return refuse('bad-via');
  const from = plainAddress(fromValue);
  const to = plainAddress(toValue);
  if (from === null || to === null) return refuse('bad-address');
  if (!CALL_ID.test(callId)) return refuse('bad-call-id');
  const cseqParts = CSEQ.exec(cseqValue);
  if (cseqParts === null) return refuse('bad-cseq');

  const parsed = sip.parse(
    `${start.value}\r\nVia: ${via.text}\r\nFrom: ${from.text}\r\nTo: ${to.text}\r\n` +
      `CSeq: ${cseqParts[1]} ${shielded(cseqParts[2] ?? '')}\r\n\r\n`,
  );
  if (parsed === undefined) return refuse('bad-start-line');

  const topVia = viaOf(parsed.headers.via?.[0], via);
  if (topVia === null) return refuse('bad-via');
  const fromTag = tagOf(parsed.headers.from?.params, from);
  const toTag = tagOf(parsed.headers.to?.params, to);
  if (fromTag === undefined || toTag === undefined) return refuse('bad-address');
  const { seq: sequence, method } = parsed.headers.cseq ?? {};
  if (sequence === undefined || method === undefined || sequence > MAX_CSEQ) return refuse('bad-cseq');

  const essentials: Essentials = { via: topVia, cseq: { sequence, method }, callId, fromTag, toTag };
  if (parsed.status !== undefined) {
    return accept({ start: { kind: 'response', status: parsed.status, reason: parsed.reason ?? '' }, essentials });
  }
  if (parsed.method === undefined || parsed.uri === undefined) return refuse('bad-start-line');
  if (parsed.method !== method) return refuse('cseq-mismatch');
  return accept({ start: { kind: 'request', method: parsed.method, uri: parsed.uri }, essentials });
};

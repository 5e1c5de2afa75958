/**
 * SIP message → bytes. Requests go through the npm package `sip`; responses do not, because it rewrites what a server
 * must copy. Builders get their input from us and not from the network, so they throw a RangeError on what would break
 * the message (line breaks, a missing cookie): that is a mistake of the caller.
 */
import sip from 'sip';
import { NOTHING } from './octets.js';
import { BRANCH_COOKIE, CALL_ID, MAX_CSEQ, maskQuoted, TEXT, TOKEN, URI } from './sip-grammar.js';
import { canonicalName, type SipRequest, unfolded } from './sip-message.js';

export interface HeaderToSend {
  readonly name: string;
  /** Unicode, sent as UTF-8 (RFC 3261 §7). */
  readonly value: string;
}

export interface AddressToSend {
  readonly uri: string;
  readonly displayName?: string;
}

export interface BodyToSend {
  readonly contentType: string;
  readonly content: Uint8Array;
}

export interface RequestToSend {
  readonly method: string;
  readonly requestUri: string;
  readonly via: {
    /** `UDP`, `TCP` or `TLS`; written in upper case. */
    readonly transport: string;
    /** Name or address; IPv6 with or without brackets, never with a zone. */
    readonly host: string;
    /** 1–65535, or absent for the transport's default. */
    readonly port?: number;
    /** Starts with `z9hG4bK`. */
    readonly branch: string;
  };
  readonly from: AddressToSend & { readonly tag: string };
  readonly to: AddressToSend & { readonly tag?: string };
  readonly callId: string;
  /** 0 to 2^31 − 1. */
  readonly cseq: number;
  /** Where the peer reaches us directly; a URI, sent in angle brackets. */
  readonly contact?: string;
  /** 0–255, 70 if absent. */
  readonly maxForwards?: number;
  readonly userAgent?: string;
  /** Each name once; take precedence over what is sent by default for the method. */
  readonly extraHeaders?: readonly HeaderToSend[];
  readonly body?: BodyToSend;
}

/** RFC 3261 §8.1.1.6 recommends it. */
const DEFAULT_MAX_FORWARDS = 70;

const ALLOW = {
  name: 'Allow',
  value: 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, INFO, UPDATE, PRACK',
} as const;
const SUPPORTED = { name: 'Supported', value: 'replaces, timer' } as const;
const ACCEPT = { name: 'Accept', value: 'application/sdp' } as const;

/** What a desk phone tells of itself, so that a firewall has no reason to treat a probe as a scanner (§11.1, §13.2.1). */
const CAPABILITIES: ReadonlyMap<string, readonly HeaderToSend[]> = new Map([
  ['OPTIONS', [ACCEPT, ALLOW, SUPPORTED]],
  ['INVITE', [ALLOW, SUPPORTED]],
  ['REGISTER', [ALLOW, SUPPORTED]],
]);

/** Written by the builder from fields of their own. */
const BUILT_HEADERS: ReadonlySet<string> = new Set([
  'via',
  'max-forwards',
  'from',
  'to',
  'contact',
  'call-id',
  'cseq',
  'user-agent',
  'content-type',
  'content-length',
]);

const IPV6 = /^\[?([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)\]?$/;
const HOST_NAME = /^[A-Za-z0-9._-]+$/;
const ADDRESS = /^[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?$/;
const ZONE = /%.*$/;

const must = (holds: boolean, what: string): void => {
  if (!holds) throw new RangeError(`not fit for a SIP message: ${what}`);
};

const mustMatch = (value: string, pattern: RegExp, what: string): string => {
  must(pattern.test(value), what);
  return value;
};

/** One character per byte of UTF-8, in which the library's count of characters is a count of bytes. */
const wireText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** One byte a character already, and none of them a control: most values are. */
const PLAIN = /^[\t -~]*$/;

const headerValue = (value: string, what: string): string => {
  if (PLAIN.test(value)) return value;
  must(TEXT.test(value), what);
  return wireText(value);
};

const inRange = (value: number, from: number, to: number, what: string): number => {
  must(Number.isInteger(value) && value >= from && value <= to, what);
  return value;
};

/** A host as it stands in a URI or a Via: IPv6 literals in brackets (RFC 3261 §25.1 `IPv6reference`). */
export const sipHost = (host: string): string => {
  const address = IPV6.exec(host)?.[1];
  return address === undefined ? mustMatch(host, HOST_NAME, 'host') : `[${address}]`;
};

const addressText = (address: AddressToSend, tag: string | undefined, what: string): string => {
  const uri = mustMatch(address.uri, URI, `${what} URI`);
  const name =
    address.displayName === undefined
      ? ''
      : `"${headerValue(address.displayName, `${what} display name`).replace(/["\\]/g, '\\$&')}" `;
  return `${name}<${uri}>${tag === undefined ? '' : `;tag=${mustMatch(tag, TOKEN, `${what} tag`)}`}`;
};

/** Challenges of several algorithms cannot share a line (RFC 3261 §7.3.1). */
const MAY_REPEAT: ReadonlySet<string> = new Set(['www-authenticate', 'proxy-authenticate']);

/** Names once each, none that the builder writes itself. */
const checkedExtras = (extras: readonly HeaderToSend[], reserved: ReadonlySet<string>): readonly HeaderToSend[] => {
  const names = extras.map((extra) => canonicalName(mustMatch(extra.name, TOKEN, 'header name')));
  for (const [index, name] of names.entries()) {
    must(!reserved.has(name), `header ${name}, which has a field of its own`);
    must(MAY_REPEAT.has(name) || names.indexOf(name) === index, `header ${name} twice: join the values with commas`);
  }
  return extras;
};

/**
 * Builds a request.
 * @throws RangeError on input that would make another message than meant
 */
export const buildRequest = (request: RequestToSend): Uint8Array => {
  const { via, body } = request;
  must(via.branch.startsWith(BRANCH_COOKIE) && TOKEN.test(via.branch), 'branch');
  const method = mustMatch(request.method, TOKEN, 'method');
  // Without a prototype, so that no header name means anything to JavaScript.
  const headers: Record<string, string | object> = Object.create(null);
  headers.via = [
    {
      protocol: mustMatch(via.transport, TOKEN, 'transport'),
      host: sipHost(via.host),
      port: via.port === undefined ? undefined : inRange(via.port, 1, 65535, 'port'),
      params: { branch: via.branch, rport: null },
    },
  ];
  headers['max-forwards'] = String(inRange(request.maxForwards ?? DEFAULT_MAX_FORWARDS, 0, 255, 'Max-Forwards'));
  headers.from = addressText(request.from, request.from.tag, 'From');
  headers.to = addressText(request.to, request.to.tag, 'To');
  headers['call-id'] = mustMatch(request.callId, CALL_ID, 'Call-ID');
  headers.cseq = { seq: inRange(request.cseq, 0, MAX_CSEQ, 'CSeq'), method };
  if (request.contact !== undefined) headers.contact = `<${mustMatch(request.contact, URI, 'Contact')}>`;
  if (request.userAgent !== undefined) headers['user-agent'] = headerValue(request.userAgent, 'User-Agent');

  const extras = checkedExtras(request.extraHeaders ?? [], BUILT_HEADERS);
  const given = new Set(extras.map((extra) => canonicalName(extra.name)));
  const defaults = (CAPABILITIES.get(method) ?? []).filter((field) => !given.has(canonicalName(field.name)));
  for (const { name, value } of [...defaults, ...extras]) headers[name] = headerValue(value, name);
  if (body !== undefined) headers['content-type'] = headerValue(body.contentType, 'Content-Type');

  const text = sip.stringify({
    method,
    uri: mustMatch(request.requestUri, URI, 'Request-URI'),
    headers,
    content: body === undefined ? '' : Buffer.from(body.content).toString('latin1'),
  });
  return Buffer.from(text, 'latin1');
};

export interface ResponseToSend {
  /** 100–699. */
  readonly status: number;
  readonly reason: string;
  /** Goes into To unless a tag is there already; null only for a 100 (RFC 3261 §8.2.6.2). */
  readonly toTag: string | null;
  /** Where the request came from; absent, the top Via stays as it is. An IPv6 zone means nothing to others and is cut off. */
  readonly received?: { readonly address: string; readonly port: number };
  readonly extraHeaders?: readonly HeaderToSend[];
  readonly body?: BodyToSend;
  /** In as few bytes as the grammar allows: compact names (RFC 3261 §7.3.3) and no reason in words. */
  readonly isCompact?: boolean;
}

/** RFC 3261 §7.3.3, of those that a response has at least. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['via', 'v'],
  ['from', 'f'],
  ['to', 't'],
  ['call-id', 'i'],
]);

/** What a server copies (RFC 3261 §8.2.6.2). */
export const COPIED_HEADERS: ReadonlySet<string> = new Set(['via', 'from', 'to', 'call-id', 'cseq']);
const WRITTEN_HEADERS: ReadonlySet<string> = new Set([...COPIED_HEADERS, 'content-type', 'content-length']);

/**
 * Writes the source address into the topmost Via, whose other bytes stay as they are. With `rport` both parameters are
 * filled in (RFC 3581 §4), otherwise `received` only where it differs from sent-by (RFC 3261 §18.2.1). Values that the
 * sender gave for them are replaced: an answer goes to where the request came from.
 */
const withReceived = (raw: string, request: SipRequest, source: { address: string; port: number }): string => {
  const { host, rport } = request.essentials.via;
  const address = source.address.replace(ZONE, '');
  const masked = maskQuoted(raw) ?? raw;
  const comma = masked.indexOf(',');
  const firstEnd = comma === -1 ? raw.length : comma;
  const kept: string[] = [];
  let start = 0;
  while (start <= firstEnd) {
    const semicolon = masked.indexOf(';', start);
    const end = semicolon === -1 || semicolon > firstEnd ? firstEnd : semicolon;
    const part = raw.slice(start, end);
    const name = unfolded(part.split('=', 1)[0] ?? '').toLowerCase();
    if (start === 0 || (name !== 'received' && name !== 'rport')) kept.push(part);
    start = end + 1;
  }
  const added: string[] = [];
  if (rport !== null || host.toLowerCase() !== address.toLowerCase()) added.push(`received=${address}`);
  if (rport !== null) added.push(`rport=${source.port}`);
  const last = kept.pop() ?? '';
  return [...kept, added.length === 0 ? last : last.trimEnd(), ...added].join(';') + raw.slice(firstEnd);
};

/**
 * Builds the answer to a request: every Via, From, To, Call-ID and CSeq as they came, byte for byte, but for the source
 * address in the top Via and the tag in To, and the names where it is to be compact.
 * @throws RangeError on input that would make another message than meant
 */
export const buildResponse = (request: SipRequest, response: ResponseToSend): Uint8Array => {
  const { received, body, toTag, isCompact = false } = response;
  const status = inRange(response.status, 100, 699, 'status');
  const lines = [`SIP/2.0 ${status} ${isCompact ? '' : headerValue(response.reason, 'reason')}`];
  if (received !== undefined) {
    mustMatch(received.address, ADDRESS, 'source address');
    inRange(received.port, 1, 65535, 'source port');
  }
  must(toTag !== null || status === 100 || request.essentials.toTag !== null, 'response without a To tag');
  let top = true;
  for (const { name: given, canonical, raw } of request.headers) {
    if (!COPIED_HEADERS.has(canonical)) continue;
    const name = isCompact ? (SHORT_NAMES.get(canonical) ?? given) : given;
    if (canonical === 'via' && top) {
      top = false;
      lines.push(`${name}:${received === undefined ? raw : withReceived(raw, request, received)}`);
    } else if (canonical === 'to' && request.essentials.toTag === null && toTag !== null) {
      lines.push(`${name}:${raw.trimEnd()};tag=${mustMatch(toTag, TOKEN, 'To tag')}`);
    } else {
      lines.push(`${name}:${raw}`);
    }
  }
  for (const { name, value } of checkedExtras(response.extraHeaders ?? [], WRITTEN_HEADERS)) {
    lines.push(`${name}: ${headerValue(value, name)}`);
  }
  if (body !== undefined) lines.push(`Content-Type: ${headerValue(body.contentType, 'Content-Type')}`);
  const content = body?.content ?? NOTHING;
  lines.push(`${isCompact ? 'l' : 'Content-Length'}: ${content.length}`, '', '');
  const head = Buffer.from(lines.join('\r\n'), 'latin1');
  return content.length === 0 ? head : Buffer.concat([head, content]);
};

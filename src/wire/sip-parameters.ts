/**
 * What stands inside header values that calls need: addresses with parameters, lists, and `name=value` pairs (RFC 3261 §25.1).
 * Pure, of linear time, and bounded: values come from a parsed message, whose fields have at most 8,192 octets.
 */
import { CALL_ID, maskQuoted, TOKEN, URI } from './sip-grammar.js';

/** A proxy chain of 70 hops (Max-Forwards) writes as many Record-Routes. */
const MAX_LISTED = 70;
const MAX_PARAMETERS = 32;

export type Parameters = ReadonlyMap<string, string | null>;

export interface Address {
  readonly uri: string;
  /** Names in lower case; null is a parameter without a value. Of repeated names the first counts. */
  readonly params: Parameters;
}

/** Cuts at a separator that stands outside of quotes and angle brackets; null if a quote or a bracket does not end. */
export const cutOutside = (value: string, separator: ',' | ';'): readonly string[] | null => {
  const masked = maskQuoted(value);
  if (masked === null) return null;
  const parts: string[] = [];
  let start = 0;
  let isAngled = false;
  for (let at = 0; at < masked.length; at += 1) {
    const letter = masked[at];
    if (letter === '<') isAngled = true;
    else if (letter === '>') isAngled = false;
    else if (letter === separator && !isAngled) {
      parts.push(value.slice(start, at));
      start = at + 1;
      if (parts.length > MAX_LISTED) return null;
    }
  }
  parts.push(value.slice(start));
  return isAngled ? null : parts;
};

/** A quoted string without its quotes and escapes (RFC 3261 §25.1); any other value as it is. */
export const unquoted = (value: string): string =>
  value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1).replace(/\\(.)/g, '$1')
    : value;

/** Reads `name`, `name=token` and `name="text"`; null if one of them is none, or there are too many. */
export const readParameters = (parts: readonly string[]): Parameters | null => {
  if (parts.length > MAX_PARAMETERS) return null;
  const params = new Map<string, string | null>();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (!TOKEN.test(name)) return null;
    const value = equals === -1 ? null : unquoted(part.slice(equals + 1).trim());
    if (!params.has(name)) params.set(name, value);
  }
  return params;
};

/** One address of From, To, Contact, Route, Record-Route or Refer-To; null for what is none, and for Contact's `*`. */
export const readAddress = (value: string): Address | null => {
  const parts = cutOutside(value, ';');
  if (parts === null) return null;
  const [first = '', ...rest] = parts;
  const open = maskQuoted(first)?.indexOf('<') ?? -1;
  const close = open === -1 ? -1 : first.indexOf('>', open);
  const uri = (open === -1 ? first : first.slice(open + 1, close)).trim();
  const params = readParameters(rest.map((part) => part.trim()).filter((part) => part !== ''));
  return params !== null && URI.test(uri) ? { uri, params } : null;
};

/** All addresses of header fields, in order; null if one of them cannot be read. */
export const readAddresses = (values: readonly string[]): readonly Address[] | null => {
  const all: Address[] = [];
  for (const value of values) {
    for (const part of cutOutside(value, ',') ?? ['']) {
      const address = readAddress(part.trim());
      if (address === null || all.length >= MAX_LISTED) return null;
      all.push(address);
    }
  }
  return all;
};

const SECONDS = /^\d{1,10}$/;
/** RFC 3261 §20.19 and RFC 4028 §4 count in 32 bits. */
const MAX_SECONDS = 2 ** 32 - 1;

/** Whole seconds of Expires, Min-SE and the like; null for what is none. */
export const readSeconds = (value: string | null | undefined): number | null => {
  const digits = value?.split(';', 1)[0]?.trim() ?? '';
  return SECONDS.test(digits) ? Math.min(Number(digits), MAX_SECONDS) : null;
};

/** Of a session that ends unless somebody refreshes it (RFC 4028 §4). */
interface SessionExpires {
  readonly seconds: number;
  /** Who refreshes it, seen from the INVITE or UPDATE that carries it; null while that is open. */
  readonly refresher: 'uac' | 'uas' | null;
}

/** Reads Session-Expires; null for what is none, or names a refresher that cannot be. */
export const readSessionExpires = (value: string | null): SessionExpires | null => {
  const [first = '', ...rest] = value === null ? [] : (cutOutside(value, ';') ?? []);
  const seconds = readSeconds(first);
  const params = readParameters(rest);
  const refresher = params?.get('refresher')?.toLowerCase() ?? null;
  if (seconds === null || params === null) return null;
  return refresher === null || refresher === 'uac' || refresher === 'uas' ? { seconds, refresher } : null;
};

export const sessionExpiresText = ({ seconds, refresher }: SessionExpires): string =>
  refresher === null ? String(seconds) : `${seconds};refresher=${refresher}`;

/** Which dialog a call takes the place of (RFC 3891 §6.1), seen from who receives it. */
export interface Replaces {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
}

/** Reads Replaces; null for what is none. */
export const readReplaces = (value: string | null): Replaces | null => {
  const [callId = '', ...rest] = value === null ? [] : (cutOutside(value, ';') ?? []);
  const params = readParameters(rest);
  const [toTag, fromTag] = [params?.get('to-tag'), params?.get('from-tag')];
  return CALL_ID.test(callId.trim()) && toTag && fromTag ? { callId: callId.trim(), toTag, fromTag } : null;
};

export const replacesText = ({ callId, toTag, fromTag }: Replaces): string =>
  `${callId};to-tag=${toTag};from-tag=${fromTag}`;

const FRAGMENT = /^SIP\/2\.0 ([1-6]\d\d)(?: |\r?$)/;
/** Nobody needs more of it than the first line (RFC 3515 §2.4.5). */
const MAX_FRAGMENT_LINE = 256;

/** The status that a NOTIFY about a REFER tells in its `message/sipfrag` (RFC 3515 §2.4.5); null for what is none. */
export const readFragmentStatus = (body: Uint8Array): number | null => {
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, MAX_FRAGMENT_LINE)).toString(
    'latin1',
  );
  const [, status] = FRAGMENT.exec(text.split('\n', 1)[0] ?? '') ?? [];
  return status === undefined ? null : Number(status);
};

export const fragmentOf = (status: number, reason: string): Uint8Array =>
  Buffer.from(`SIP/2.0 ${status} ${reason}\r\n`, 'latin1');

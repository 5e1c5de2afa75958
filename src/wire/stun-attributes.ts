/** STUN attributes: what their values mean, for RFC 8489 §14, RFC 5780 §7 and RFC 3489 §11.2. Bytes ⇄ values. */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { formatIp, IPV4_BYTES, IPV6_BYTES, parseIp } from './ip.js';
import {
  ATTRIBUTE_HEADER_BYTES,
  INTEGRITY_TYPES,
  MAX_STUN_ATTRIBUTES,
  paddingOf,
  type StunDialect,
  WORD_BYTES,
} from './stun-layout.js';

const ADDRESS_TYPES = {
  'mapped-address': 0x0001,
  'response-address': 0x0002, // RFC 3489 only
  'source-address': 0x0004, // RFC 3489 only
  'changed-address': 0x0005, // RFC 3489 only
  'reflected-from': 0x000b, // RFC 3489 only
  'alternate-server': 0x8023,
  'response-origin': 0x802b,
  'other-address': 0x802c,
} as const;
const XOR_ADDRESS_TYPES = {
  'xor-mapped-address': 0x0020,
  'legacy-xor-mapped-address': 0x8020, // of the drafts before RFC 5389, still sent beside MAPPED-ADDRESS
} as const;
const TEXT_TYPES = { username: 0x0006, realm: 0x0014, nonce: 0x0015, software: 0x8022 } as const;
const MAC_TYPES = {
  'message-integrity': INTEGRITY_TYPES.sha1,
  'message-integrity-sha256': INTEGRITY_TYPES.sha256,
} as const;

/** The attributes that are understood, under their numbers in IANA's registry; all others are `opaque`. */
export const STUN_ATTRIBUTE_TYPES = {
  ...ADDRESS_TYPES,
  ...XOR_ADDRESS_TYPES,
  ...TEXT_TYPES,
  ...MAC_TYPES,
  'change-request': 0x0003,
  'error-code': 0x0009,
  'unknown-attributes': 0x000a,
  padding: 0x0026,
  'response-port': 0x0027,
  fingerprint: INTEGRITY_TYPES.fingerprint,
} as const;
export type KnownStunAttribute = keyof typeof STUN_ATTRIBUTE_TYPES;

export type AddressAttribute = keyof typeof ADDRESS_TYPES | keyof typeof XOR_ADDRESS_TYPES;
export type TextAttribute = keyof typeof TEXT_TYPES;
export type MacAttribute = keyof typeof MAC_TYPES;

/** IPv4 or IPv6 text and a port; XOR is undone. */
export interface StunEndpoint {
  readonly address: string;
  readonly port: number;
}

/** One member for each kind, so that a kind alone tells the rest. */
type Kinds<K extends string, Value> = { [P in K]: { readonly kind: P } & Value }[K];

export type StunAttribute =
  | Kinds<AddressAttribute, StunEndpoint>
  | Kinds<TextAttribute, { readonly text: string }>
  /** 20 octets; for SHA-256, 16–32 in whole words. `verifyIntegrity` decides whether it is true. */
  | Kinds<MacAttribute, { readonly hmac: Uint8Array }>
  | { readonly kind: 'change-request'; readonly changeIp: boolean; readonly changePort: boolean }
  /** `code` is 300–699. */
  | { readonly kind: 'error-code'; readonly code: number; readonly reason: string }
  | { readonly kind: 'unknown-attributes'; readonly types: readonly number[] }
  | { readonly kind: 'padding'; readonly value: Uint8Array }
  | { readonly kind: 'response-port'; readonly port: number }
  /** `crc` as on the wire, with the XOR. `verifyFingerprint` decides whether it is true. */
  | { readonly kind: 'fingerprint'; readonly crc: number }
  /** Any other type, known to the caller or to nobody. `isComprehensionRequired(type)` says how grave that is. */
  | { readonly kind: 'opaque'; readonly type: number; readonly value: Uint8Array };
export type StunAttributeKind = StunAttribute['kind'];

export const STUN_ATTRIBUTE_REFUSALS = [
  'attribute-length', // the value has another length than its attribute can have
  'address-family', // neither IPv4 nor IPv6
  'error-code', // not 300–699
  'text', // not UTF-8
] as const;
export type StunAttributeRefusal = (typeof STUN_ATTRIBUTE_REFUSALS)[number];

/** RFC 8489 §14.1. */
const FAMILIES = { 4: 0x01, 6: 0x02 } as const;
/** Reserved octet, family, port. */
const ADDRESS_HEADER_BYTES = 4;
/** RFC 8489 §14.3: fewer than 509 octets. */
const MAX_USERNAME_BYTES = 508;
/** RFC 8489 §14.8–10, §14.14: fewer than 128 characters, which can be 763 octets. */
const MAX_TEXT_BYTES = 763;
const ERROR_HEADER_BYTES = 4;
export const SHA1_BYTES = 20;
export const SHA256_BYTES = 32;
/** RFC 8489 §14.6: how far the HMAC may be cut where a usage allows it. */
const MIN_SHA256_BYTES = 16;
const CHANGE_IP = 0x04;
const CHANGE_PORT = 0x02;
/** Types from here on may be ignored by who does not know them (RFC 8489 §14). */
const FIRST_OPTIONAL_TYPE = 0x8000;

/** A message with an attribute of this type must not be processed by who does not know it (RFC 8489 §14). */
export const isComprehensionRequired = (type: number): boolean => type < FIRST_OPTIONAL_TYPE;

const KINDS: ReadonlyMap<number, KnownStunAttribute> = new Map(
  Object.entries(STUN_ATTRIBUTE_TYPES).map(([kind, type]) => [type, kind as KnownStunAttribute]),
);

/** The type number of an attribute. */
export const typeOfAttribute = (attribute: StunAttribute): number =>
  attribute.kind === 'opaque' ? attribute.type : STUN_ATTRIBUTE_TYPES[attribute.kind];

type Read = Parsed<StunAttribute, StunAttributeRefusal>;

/** What an attribute's value depends on besides itself. */
export interface AttributeContext {
  readonly dialect: StunDialect;
  /** Octets 4–19 of the message: what addresses are XORed with (RFC 8489 §14.2). */
  readonly mask: Uint8Array;
}

const xor = (bytes: Uint8Array, mask: Uint8Array): Uint8Array =>
  bytes.map((octet, index) => octet ^ (mask[index] ?? 0));

const readAddress = (kind: AddressAttribute, value: Buffer, mask: Uint8Array | null): Read => {
  if (value.length < ADDRESS_HEADER_BYTES) return refuse('attribute-length');
  const family = value.readUInt8(1);
  if (family !== FAMILIES[4] && family !== FAMILIES[6]) return refuse('address-family');
  const raw = value.subarray(ADDRESS_HEADER_BYTES);
  if (raw.length !== (family === FAMILIES[4] ? IPV4_BYTES : IPV6_BYTES)) return refuse('attribute-length');
  const port = value.subarray(2, ADDRESS_HEADER_BYTES);
  return accept({
    kind,
    address: formatIp(mask ? xor(raw, mask) : raw),
    port: Buffer.from(mask ? xor(port, mask) : port).readUInt16BE(0),
  });
};

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text for people. RFC 3489 has no padding, so that it comes filled up to a word: with spaces (§11.2.9), or with zeros. */
const readProse = (value: Buffer, dialect: StunDialect): string => {
  let end = value.length;
  if (dialect === 'rfc3489') while (end > 0 && (value[end - 1] === 0x20 || value[end - 1] === 0)) end--;
  return value.toString('utf8', 0, end);
};

/** Credentials are compared and sent back, so that they must be exact. */
const readCredential = (kind: Exclude<TextAttribute, 'software'>, value: Buffer): Read => {
  if (value.length > (kind === 'username' ? MAX_USERNAME_BYTES : MAX_TEXT_BYTES)) return refuse('attribute-length');
  try {
    return accept({ kind, text: strictUtf8.decode(value) });
  } catch {
    return refuse('text');
  }
};

const readErrorCode = (value: Buffer, dialect: StunDialect): Read => {
  if (value.length < ERROR_HEADER_BYTES || value.length > ERROR_HEADER_BYTES + MAX_TEXT_BYTES)
    return refuse('attribute-length');
  const hundreds = value.readUInt8(2) & 0b111;
  const rest = value.readUInt8(3);
  if (hundreds < 3 || hundreds > 6 || rest > 99) return refuse('error-code');
  const reason = readProse(value.subarray(ERROR_HEADER_BYTES), dialect);
  return accept({ kind: 'error-code', code: hundreds * 100 + rest, reason });
};

const readUnknownAttributes = (value: Buffer): Read => {
  // Nobody can miss more attributes than a message can have, and we never send more.
  if (value.length % 2 !== 0 || value.length > MAX_STUN_ATTRIBUTES * 2) return refuse('attribute-length');
  const types = Array.from({ length: value.length / 2 }, (_, index) => value.readUInt16BE(index * 2));
  // A type named twice says no more than once; RFC 3489 §11.2.10 repeats one to fill the last word.
  return accept({ kind: 'unknown-attributes', types: [...new Set(types)] });
};

/** Reads one attribute's value. Never throws. Octets and bits that are reserved are ignored. Results are views. */
export const readAttribute = (type: number, value: Buffer, { dialect, mask }: AttributeContext): Read => {
  const kind = KINDS.get(type);
  switch (kind) {
    case undefined:
      return accept({ kind: 'opaque', type, value });
    case 'mapped-address':
    case 'response-address':
    case 'source-address':
    case 'changed-address':
    case 'reflected-from':
    case 'alternate-server':
    case 'response-origin':
    case 'other-address':
      return readAddress(kind, value, null);
    case 'xor-mapped-address':
    case 'legacy-xor-mapped-address':
      return readAddress(kind, value, mask);
    case 'username':
    case 'realm':
    case 'nonce':
      return readCredential(kind, value);
    case 'software':
      return value.length <= MAX_TEXT_BYTES
        ? accept({ kind, text: readProse(value, dialect) })
        : refuse('attribute-length');
    case 'message-integrity':
      return value.length === SHA1_BYTES ? accept({ kind, hmac: value }) : refuse('attribute-length');
    case 'message-integrity-sha256':
      return value.length >= MIN_SHA256_BYTES && value.length <= SHA256_BYTES && value.length % WORD_BYTES === 0
        ? accept({ kind, hmac: value })
        : refuse('attribute-length');
    case 'change-request': {
      if (value.length !== 4) return refuse('attribute-length');
      const flags = value.readUInt8(3);
      return accept({ kind, changeIp: (flags & CHANGE_IP) !== 0, changePort: (flags & CHANGE_PORT) !== 0 });
    }
    case 'error-code':
      return readErrorCode(value, dialect);
    case 'unknown-attributes':
      return readUnknownAttributes(value);
    case 'padding':
      return accept({ kind, value });
    case 'response-port':
      // RFC 5780 §7.5 speaks of 16 bits and two octets of padding: some count the padding, some do not.
      return value.length === 2 || value.length === 4
        ? accept({ kind, port: value.readUInt16BE(0) })
        : refuse('attribute-length');
    case 'fingerprint':
      return value.length === 4 ? accept({ kind, crc: value.readUInt32BE(0) }) : refuse('attribute-length');
  }
};

const encodeAddress = (text: string, port: number, mask: Uint8Array | null): Buffer => {
  const ip = parseIp(text);
  if (!ip) throw new RangeError(`"${text}" is not an IP address`);
  const value = Buffer.alloc(ADDRESS_HEADER_BYTES + ip.bytes.length);
  value.writeUInt8(FAMILIES[ip.family], 1);
  value.writeUInt16BE(port, 2);
  value.set(ip.bytes, ADDRESS_HEADER_BYTES);
  if (!mask) return value;
  value.set(xor(value.subarray(2, ADDRESS_HEADER_BYTES), mask), 2);
  value.set(xor(ip.bytes, mask), ADDRESS_HEADER_BYTES);
  return value;
};

const encodeProse = (text: string, dialect: StunDialect): Buffer => {
  const value = Buffer.from(text, 'utf8');
  return dialect === 'rfc3489' ? Buffer.concat([value, Buffer.alloc(paddingOf(value.length), ' ')]) : value;
};

const encodeErrorCode = (code: number, reason: string, dialect: StunDialect): Buffer =>
  Buffer.concat([Buffer.of(0, 0, Math.floor(code / 100), code % 100), encodeProse(reason, dialect)]);

const encodeUnknownAttributes = (types: readonly number[], dialect: StunDialect): Buffer => {
  const listed = [...new Set(types)];
  const last = listed.at(-1);
  if (dialect === 'rfc3489' && last !== undefined && listed.length % 2 !== 0) listed.push(last);
  const value = Buffer.alloc(listed.length * 2);
  for (const [index, type] of listed.entries()) value.writeUInt16BE(type, index * 2);
  return value;
};

const encodeValue = (attribute: StunAttribute, { dialect, mask }: AttributeContext): Uint8Array => {
  switch (attribute.kind) {
    case 'mapped-address':
    case 'response-address':
    case 'source-address':
    case 'changed-address':
    case 'reflected-from':
    case 'alternate-server':
    case 'response-origin':
    case 'other-address':
      return encodeAddress(attribute.address, attribute.port, null);
    case 'xor-mapped-address':
    case 'legacy-xor-mapped-address':
      return encodeAddress(attribute.address, attribute.port, mask);
    case 'username':
    case 'realm':
    case 'nonce':
      return Buffer.from(attribute.text, 'utf8');
    case 'software':
      return encodeProse(attribute.text, dialect);
    case 'message-integrity':
    case 'message-integrity-sha256':
      return attribute.hmac;
    case 'change-request':
      return Buffer.of(0, 0, 0, (attribute.changeIp ? CHANGE_IP : 0) | (attribute.changePort ? CHANGE_PORT : 0));
    case 'error-code':
      return encodeErrorCode(attribute.code, attribute.reason, dialect);
    case 'unknown-attributes':
      return encodeUnknownAttributes(attribute.types, dialect);
    case 'padding':
      return attribute.value;
    case 'response-port': {
      // Two octets: the form that every server takes, while some refuse four.
      const value = Buffer.alloc(2);
      value.writeUInt16BE(attribute.port, 0);
      return value;
    }
    case 'fingerprint': {
      const value = Buffer.alloc(4);
      value.writeUInt32BE(attribute.crc, 0);
      return value;
    }
    case 'opaque': {
      const known = KINDS.get(attribute.type);
      if (known) throw new RangeError(`attribute 0x${attribute.type.toString(16)} is ${known}, not opaque`);
      return attribute.value;
    }
  }
};

/**
 * An attribute as it lies on the wire, padded with zeros.
 * @throws RangeError when `type` or the value's length does not fit 16 bits.
 */
export const encodeRawAttribute = (type: number, value: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(ATTRIBUTE_HEADER_BYTES + value.length + paddingOf(value.length));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  bytes.set(value, ATTRIBUTE_HEADER_BYTES);
  return bytes;
};

/**
 * Writes one attribute, padded with zeros.
 * @throws RangeError when the value is not one that the attribute can have, or cannot be said in RFC 3489, which has no
 *   padding: there, text and opaque values come in whole words.
 */
export const encodeAttribute = (attribute: StunAttribute, context: AttributeContext): Buffer => {
  const value = encodeValue(attribute, context);
  if (context.dialect === 'rfc3489' && value.length % WORD_BYTES !== 0)
    throw new RangeError(
      `RFC 3489 has no padding: ${attribute.kind} of ${value.length} octets is no whole number of words`,
    );
  const type = typeOfAttribute(attribute);
  // What our own parser refuses, a peer need not understand either: one set of rules for both directions.
  const readBack = readAttribute(type, Buffer.from(value), context);
  if (!readBack.ok) throw new RangeError(`${attribute.kind} cannot be sent: ${readBack.refusal}`);
  return encodeRawAttribute(type, value);
};

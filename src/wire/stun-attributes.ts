/** STUN attributes: their numbers, and what they say (RFC 8489 §14, RFC 5780 §7, RFC 3489 §11.2). */
import { INTEGRITY_TYPES, type StunDialect } from './stun-layout.js';

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
type KnownStunAttribute = keyof typeof STUN_ATTRIBUTE_TYPES;

export type AddressAttribute = keyof typeof ADDRESS_TYPES | keyof typeof XOR_ADDRESS_TYPES;
export type TextAttribute = keyof typeof TEXT_TYPES;
type MacAttribute = keyof typeof MAC_TYPES;

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
export const ADDRESS_FAMILIES = { 4: 0x01, 6: 0x02 } as const;
/** Reserved octet, family, port. */
export const ADDRESS_HEADER_BYTES = 4;
/** RFC 5780 §7.2. */
export const CHANGE_IP = 0x04;
export const CHANGE_PORT = 0x02;
export const SHA1_BYTES = 20;
export const SHA256_BYTES = 32;

/** Types from here on may be ignored by who does not know them (RFC 8489 §14). */
const FIRST_OPTIONAL_TYPE = 0x8000;

/** A message with an attribute of this type must not be processed by who does not know it (RFC 8489 §14). */
export const isComprehensionRequired = (type: number): boolean => type < FIRST_OPTIONAL_TYPE;

const KINDS: ReadonlyMap<number, KnownStunAttribute> = new Map(
  Object.entries(STUN_ATTRIBUTE_TYPES).map(([kind, type]) => [type, kind as KnownStunAttribute]),
);

/** The kind of a type number; undefined for those that are `opaque`. */
export const kindOfType = (type: number): KnownStunAttribute | undefined => KINDS.get(type);

/** The type number of an attribute. */
export const typeOfAttribute = (attribute: StunAttribute): number =>
  attribute.kind === 'opaque' ? attribute.type : STUN_ATTRIBUTE_TYPES[attribute.kind];

/** What an attribute's value depends on besides itself. */
export interface AttributeContext {
  readonly dialect: StunDialect;
  /** Octets 4–19 of the message: what addresses are XORed with (RFC 8489 §14.2). */
  readonly mask: Uint8Array;
}

/** XORs as many octets as there are with the start of the mask: undoing it is doing it again. */
export const xor = (bytes: Uint8Array, mask: Uint8Array): Uint8Array => {
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) result[at] = (bytes[at] ?? 0) ^ (mask[at] ?? 0);
  return result;
};

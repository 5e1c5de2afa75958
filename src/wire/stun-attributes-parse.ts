/** Reads the values of STUN attributes, with the bounds that the RFCs give them. */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { formatIp, IPV4_BYTES, IPV6_BYTES } from './ip.js';
import {
  ADDRESS_FAMILIES,
  ADDRESS_HEADER_BYTES,
  type AddressAttribute,
  type AttributeContext,
  CHANGE_IP,
  CHANGE_PORT,
  kindOfType,
  SHA1_BYTES,
  SHA256_BYTES,
  type StunAttribute,
  type StunAttributeRefusal,
  type TextAttribute,
  xor,
} from './stun-attributes.js';
import { MAX_STUN_ATTRIBUTES, type StunDialect, WORD_BYTES } from './stun-layout.js';

/** RFC 8489 §14.3: fewer than 509 octets. */
const MAX_USERNAME_BYTES = 508;
/** RFC 8489 §14.8–14.10, §14.14: fewer than 128 characters, which can be 763 octets. */
const MAX_TEXT_BYTES = 763;
/** Reserved bits, class, number (RFC 8489 §14.8). */
const ERROR_HEADER_BYTES = 4;
/** RFC 8489 §14.6: how far the HMAC may be cut where a usage allows it. */
const MIN_SHA256_BYTES = 16;

type Read = Parsed<StunAttribute, StunAttributeRefusal>;

const readAddress = (kind: AddressAttribute, value: Buffer, mask: Uint8Array | null): Read => {
  if (value.length < ADDRESS_HEADER_BYTES) return refuse('attribute-length');
  const family = value.readUInt8(1);
  if (family !== ADDRESS_FAMILIES[4] && family !== ADDRESS_FAMILIES[6]) return refuse('address-family');
  const raw = value.subarray(ADDRESS_HEADER_BYTES);
  if (raw.length !== (family === ADDRESS_FAMILIES[4] ? IPV4_BYTES : IPV6_BYTES)) return refuse('attribute-length');
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
  const kind = kindOfType(type);
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

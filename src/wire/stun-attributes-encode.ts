/** Writes the values of STUN attributes, and holds them to what our own parser takes. */
import { parseIp } from './ip.js';
import {
  ADDRESS_FAMILIES,
  ADDRESS_HEADER_BYTES,
  type AttributeContext,
  CHANGE_IP,
  CHANGE_PORT,
  kindOfType,
  type StunAttribute,
  typeOfAttribute,
  xor,
} from './stun-attributes.js';
import { readAttribute } from './stun-attributes-parse.js';
import { encodeRawAttribute, paddingOf, type StunDialect, WORD_BYTES } from './stun-layout.js';

const encodeAddress = (text: string, port: number, mask: Uint8Array | null): Buffer => {
  const ip = parseIp(text);
  if (!ip) throw new RangeError(`"${text}" is not an IP address`);
  const value = Buffer.alloc(ADDRESS_HEADER_BYTES + ip.bytes.length);
  value.writeUInt8(ADDRESS_FAMILIES[ip.family], 1);
  // The port is XORed with the mask's beginning too (RFC 8489 §14.2).
  value.writeUInt16BE(mask ? port ^ (((mask[0] ?? 0) << 8) | (mask[1] ?? 0)) : port, 2);
  value.set(mask ? xor(ip.bytes, mask) : ip.bytes, ADDRESS_HEADER_BYTES);
  return value;
};

const encodeProse = (text: string, dialect: StunDialect): Buffer => {
  const value = Buffer.from(text, 'utf8');
  return dialect === 'rfc3489' ? Buffer.concat([value, Buffer.alloc(paddingOf(value.length), ' ')]) : value;
};

const encodeErrorCode = (code: number, reason: string, dialect: StunDialect): Buffer => {
  // Reading would ignore what goes beyond the three bits of the class.
  if (!Number.isInteger(code) || code < 300 || code > 699) throw new RangeError(`a STUN error is 300–699, not ${code}`);
  return Buffer.concat([Buffer.of(0, 0, Math.floor(code / 100), code % 100), encodeProse(reason, dialect)]);
};

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
      const known = kindOfType(attribute.type);
      if (known) throw new RangeError(`attribute 0x${attribute.type.toString(16)} is ${known}, not opaque`);
      return attribute.value;
    }
  }
};

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Made here from checked parts, or read by nobody; all others hold what the caller gave. */
const BUILT: ReadonlySet<StunAttribute['kind']> = new Set<StunAttribute['kind']>([
  'mapped-address',
  'xor-mapped-address',
  'response-origin',
  'other-address',
  'opaque',
]);

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
  if (BUILT.has(attribute.kind)) return encodeRawAttribute(type, value);
  // What our own parser refuses, a peer need not understand either: one set of rules for both directions.
  const readBack = readAttribute(type, asBuffer(value), context);
  if (!readBack.ok) throw new RangeError(`${attribute.kind} cannot be sent: ${readBack.refusal}`);
  return encodeRawAttribute(type, value);
};

/**
 * STUN (RFC 8489), with RFC 5780's attributes for NAT behaviour, and compatible with RFC 3489. Bytes ⇄ messages; who
 * asks, retransmits or answers is elsewhere.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { zeroed } from './octets.js';
import {
  isComprehensionRequired,
  STUN_ATTRIBUTE_REFUSALS,
  type StunAttribute,
  type StunAttributeKind,
  type StunEndpoint,
  typeOfAttribute,
} from './stun-attributes.js';
import { encodeAttribute } from './stun-attributes-encode.js';
import { readAttribute } from './stun-attributes-parse.js';
import { appendFingerprint, appendIntegrity, type StunIntegrity } from './stun-integrity.js';
import {
  COOKIE_OFFSET,
  countsAfter,
  INTEGRITY_TYPES,
  isRfc3489Header,
  MAGIC_COOKIE,
  MAX_STUN_ATTRIBUTES,
  MAX_STUN_BYTES,
  MAX_STUN_METHOD,
  messageTypeOf,
  readFrame,
  STUN_HEADER_BYTES,
  STUN_LAYOUT_REFUSALS,
  type StunClass,
  type StunDialect,
} from './stun-layout.js';

export {
  isComprehensionRequired,
  STUN_ATTRIBUTE_TYPES,
  type StunAttribute,
  type StunAttributeKind,
  type StunEndpoint,
} from './stun-attributes.js';
export {
  longTermKey,
  type StunCheck,
  type StunIntegrity,
  shortTermKey,
  verifyFingerprint,
  verifyIntegrity,
} from './stun-integrity.js';
export {
  BINDING,
  looksLikeStun,
  MAX_STUN_ATTRIBUTES,
  MAX_STUN_BYTES,
  type StunClass,
  type StunDialect,
} from './stun-layout.js';

/** The transaction ID's length in each dialect: 96 bits after the cookie (RFC 8489 §5), or 128 (RFC 3489 §11.1). */
export const TRANSACTION_ID_BYTES = { rfc8489: 12, rfc3489: 16 } as const satisfies Record<StunDialect, number>;

export const STUN_REFUSALS = [...STUN_LAYOUT_REFUSALS, ...STUN_ATTRIBUTE_REFUSALS] as const;
export type StunRefusal = (typeof STUN_REFUSALS)[number];

export interface StunMessage {
  readonly dialect: StunDialect;
  readonly class: StunClass;
  /** 0–0xFFF; BINDING is what matters. */
  readonly method: number;
  /** TRANSACTION_ID_BYTES of the dialect. */
  readonly transactionId: Uint8Array;
  readonly attributes: readonly StunAttribute[];
}

/**
 * Reads one message that fills `bytes`. Never throws. Binary values are views into `bytes`. Attributes behind
 * MESSAGE-INTEGRITY that it does not cover are left out (RFC 8489 §14.5). Nothing is verified: see verifyIntegrity and
 * verifyFingerprint.
 */
export const parseStun = (bytes: Uint8Array): Parsed<StunMessage, StunRefusal> => {
  const frame = readFrame(bytes);
  if (!frame.ok) return frame;
  const { dialect, class: cls, method } = frame.value;
  const mask = frame.value.bytes.subarray(COOKIE_OFFSET, STUN_HEADER_BYTES);
  const attributes: StunAttribute[] = [];
  for (const { type, value } of frame.value.attributes) {
    const attribute = readAttribute(type, value, { dialect, mask });
    if (!attribute.ok) return refuse(attribute.refusal);
    attributes.push(attribute.value);
  }
  const transactionId = mask.subarray(mask.length - TRANSACTION_ID_BYTES[dialect]);
  return accept({ dialect, class: cls, method, transactionId, attributes });
};

/** What to append once the message stands, in the order in which it has to be (RFC 8489 §14.5–14.7). */
interface StunSeal {
  readonly integrity?: {
    readonly key: Uint8Array;
    /** Both, where the far end's abilities are not known. */
    readonly algorithms: readonly StunIntegrity[];
  };
  readonly fingerprint?: boolean;
}

/** SHA-1 first: it does not count behind SHA-256 (RFC 8489 §14.6). */
const SEAL_ORDER = ['sha1', 'sha256'] as const satisfies readonly StunIntegrity[];

/** @throws RangeError for a header that could not be read back. */
const encodeHeader = ({ dialect, class: cls, method, transactionId }: StunMessage): Buffer => {
  if (!Number.isInteger(method) || method < 0 || method > MAX_STUN_METHOD)
    throw new RangeError(`a STUN method is 0–0xfff, not ${method}`);
  if (transactionId.length !== TRANSACTION_ID_BYTES[dialect])
    throw new RangeError(
      `a transaction ID of ${dialect} has ${TRANSACTION_ID_BYTES[dialect]} octets, not ${transactionId.length}`,
    );
  const type = messageTypeOf(method, cls);
  if (dialect === 'rfc3489' && !isRfc3489Header(type, transactionId))
    throw new RangeError('not a message of RFC 3489: its type is unknown there, or its transaction ID has the cookie');
  const header = zeroed(STUN_HEADER_BYTES);
  header.writeUInt16BE(type, 0);
  header.writeUInt32BE(MAGIC_COOKIE, COOKIE_OFFSET);
  header.set(transactionId, STUN_HEADER_BYTES - transactionId.length);
  return header;
};

/**
 * Writes a message, and appends what `seal` asks for. A parsed message is written again as it was, with the HMACs and
 * CRC that it had; only padding becomes zero.
 * @throws RangeError when a field does not fit its place, when a receiver would have to ignore an attribute because of
 *   the integrity before it, or when the dialect cannot say it: the caller's mistake, never the network's.
 */
export const encodeStun = (message: StunMessage, { integrity, fingerprint = false }: StunSeal = {}): Uint8Array => {
  const header = encodeHeader(message);
  const macs = integrity
    ? SEAL_ORDER.filter((algorithm) => integrity.algorithms.includes(algorithm)).map((algorithm) => ({
        algorithm,
        key: integrity.key,
      }))
    : [];
  if (message.dialect === 'rfc3489' && (fingerprint || macs.some(({ algorithm }) => algorithm === 'sha256')))
    throw new RangeError('RFC 3489 has neither FINGERPRINT nor SHA-256, and its MESSAGE-INTEGRITY is last (§11.2.8)');
  const types = [
    ...message.attributes.map(typeOfAttribute),
    ...macs.map(({ algorithm }) => INTEGRITY_TYPES[algorithm]),
    ...(fingerprint ? [INTEGRITY_TYPES.fingerprint] : []),
  ];
  if (types.length > MAX_STUN_ATTRIBUTES) throw new RangeError(`more than ${MAX_STUN_ATTRIBUTES} attributes`);
  for (const [index, type] of types.entries())
    if (!countsAfter(types[index - 1], type))
      throw new RangeError(`attribute 0x${type.toString(16)} does not count behind the integrity before it`);

  const context = { dialect: message.dialect, mask: header.subarray(COOKIE_OFFSET) };
  const body = message.attributes.map((attribute) => encodeAttribute(attribute, context));
  const plain = Buffer.concat([header, ...body]);
  if (plain.length > MAX_STUN_BYTES) throw new RangeError(`a STUN message of ${plain.length} octets fits no datagram`);
  plain.writeUInt16BE(plain.length - STUN_HEADER_BYTES, 2);
  const authenticated = macs.reduce<Uint8Array>(
    (bytes, { key, algorithm }) => appendIntegrity(bytes, key, algorithm),
    plain,
  );
  return fingerprint ? appendFingerprint(authenticated) : authenticated;
};

/** A response to this request: same method, transaction and dialect. */
export const stunResponse = (
  request: StunMessage,
  cls: 'success' | 'error',
  attributes: readonly StunAttribute[],
): StunMessage => ({
  dialect: request.dialect,
  class: cls,
  method: request.method,
  transactionId: request.transactionId,
  attributes,
});

/** The first attribute of this kind: repetitions are to be ignored (RFC 8489 §14). */
export const attributeOf = <K extends StunAttributeKind>(
  message: StunMessage,
  kind: K,
): Extract<StunAttribute, { readonly kind: K }> | null =>
  message.attributes.find(
    (attribute): attribute is Extract<StunAttribute, { readonly kind: K }> => attribute.kind === kind,
  ) ?? null;

/**
 * The endpoint that the far end saw, or null. The XORed one comes first: some NATs rewrite every address of theirs that
 * they find in a payload, and spare what they do not recognise (RFC 8489 §14.2).
 */
export const mappedAddressOf = (message: StunMessage): StunEndpoint | null => {
  const found =
    attributeOf(message, 'xor-mapped-address') ??
    attributeOf(message, 'legacy-xor-mapped-address') ??
    attributeOf(message, 'mapped-address');
  return found && { address: found.address, port: found.port };
};

/** The bytes of the first attribute of a type that this file does not know, or null. */
export const opaqueOf = (message: StunMessage, type: number): Uint8Array | null => {
  for (const attribute of message.attributes)
    if (attribute.kind === 'opaque' && attribute.type === type) return attribute.value;
  return null;
};

/**
 * The types that a receiver has to know and does not: what a 420 lists in UNKNOWN-ATTRIBUTES (RFC 8489 §6.3.1), and
 * what makes a response useless (§6.3.3). In order, each once.
 * @param understands whether the caller acts upon the attribute, or may pass over it.
 */
export const notUnderstood = (
  message: StunMessage,
  understands: (attribute: StunAttribute) => boolean,
): readonly number[] => {
  const types = message.attributes.filter((attribute) => !understands(attribute)).map(typeOfAttribute);
  return [...new Set(types.filter(isComprehensionRequired))];
};

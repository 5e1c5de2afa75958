/**
 * Answers Binding requests with the smallest response that the dialect allows; the proof goes along for who sent a tag,
 * and what RFC 5780 adds for who has paid for it with as many bytes. With one address it cannot answer from another, and
 * says so (RFC 5780 §6.1: 420).
 */
import { STUN_TAG_ATTRIBUTE } from '../../wire/carriers.js';
import { IPV4_BYTES, IPV6_BYTES } from '../../wire/ip.js';
import {
  attributeOf,
  BINDING,
  encodeStun,
  notUnderstood,
  opaqueOf,
  parseStun,
  type StunAttribute,
  type StunEndpoint,
  type StunMessage,
  stunResponse,
} from '../../wire/stun.js';
import { type Arrival, answerTag, type Delivery, type Responder } from '../exchange.js';

const BAD_REQUEST = 400;
const UNKNOWN_ATTRIBUTE = 420;
/** RFC 8489 §5. */
const HEADER_BYTES = 20;
/** Type and length in front of a value, and whole words (RFC 8489 §14). */
const ATTRIBUTE_HEADER_BYTES = 4;
const WORD_BYTES = 4;

/** The attribute's whole length: family and port come before the address (RFC 8489 §14.1). */
const bytesOf = ({ address }: StunEndpoint): number =>
  2 * ATTRIBUTE_HEADER_BYTES + (address.includes(':') ? IPV6_BYTES : IPV4_BYTES);

/** What a Binding request may carry and be answered all the same. */
const understood =
  ({ surroundings }: Arrival, proven: boolean) =>
  (attribute: StunAttribute): boolean => {
    switch (attribute.kind) {
      case 'username':
      case 'realm':
      case 'nonce':
      case 'message-integrity':
      case 'message-integrity-sha256':
        return true;
      case 'change-request': {
        const { changeIp, changePort } = attribute;
        // RFC 3489's first test asks for no change.
        return !(changeIp || changePort) || Boolean(surroundings?.change(changeIp, changePort));
      }
      case 'padding':
        return Boolean(surroundings?.other());
      case 'response-port':
        // A stranger's word for a port is not enough to send there.
        return proven && attribute.port > 0;
      default:
        return false;
    }
  };

const addressesFor = (
  dialect: StunMessage['dialect'],
  mapped: StunEndpoint,
  origin: StunEndpoint | null,
  other: StunEndpoint | null,
): readonly Extract<StunAttribute, StunEndpoint>[] => {
  const [from, elsewhere] =
    dialect === 'rfc8489'
      ? (['response-origin', 'other-address'] as const)
      : (['source-address', 'changed-address'] as const);
  return [
    // First what a client cannot do without: where there is only room for one, it is the other address.
    ...(other ? [{ kind: elsewhere, ...other }] : []),
    ...(origin ? [{ kind: from, ...origin }] : []),
    // Without the XOR as well: where the two differ on arrival, something rewrites addresses in payloads (RFC 8489 §14.2).
    ...(dialect === 'rfc8489' ? [{ kind: 'mapped-address' as const, ...mapped }] : []),
  ];
};

export const answerStun: Responder = (message, arrival, host) => {
  const parsed = parseStun(message);
  if (!parsed.ok || parsed.value.class !== 'request' || parsed.value.method !== BINDING) return null;
  const request = parsed.value;
  const respond = (kind: 'success' | 'error', attributes: readonly StunAttribute[]): Uint8Array =>
    encodeStun(stunResponse(request, kind, attributes));

  const tag = answerTag(opaqueOf(request, STUN_TAG_ATTRIBUTE), message, arrival, host);
  const proven = tag !== null;
  const proof: readonly StunAttribute[] = tag ? [{ kind: 'opaque', type: STUN_TAG_ATTRIBUTE, value: tag.bytes }] : [];
  const padding = attributeOf(request, 'padding');
  const responsePort = attributeOf(request, 'response-port');
  const unknown = notUnderstood(request, understood(arrival, proven));
  if (unknown.length > 0) {
    const code: StunAttribute = { kind: 'error-code', code: UNKNOWN_ATTRIBUTE, reason: '' };
    const list: StunAttribute = { kind: 'unknown-attributes', types: unknown };
    // The list does not fit into the answer to a bare CHANGE-REQUEST; the code alone is as long as that request.
    const choices = [[code, list, ...proof], [code, list], [code]].map((attributes) => respond('error', attributes));
    const bytes = choices.find(({ length }) => length <= message.length);
    if (!bytes && tag) host.sessions.unanswered(tag.of, 'too-large');
    return bytes ? { bytes, proven, of: tag?.of } : null;
  }
  // RFC 5780 §6.1: a fragmented answer and another port for it cannot be told apart by who waits.
  if (padding && responsePort) {
    return { bytes: respond('error', [{ kind: 'error-code', code: BAD_REQUEST, reason: '' }]), proven, of: tag?.of };
  }

  const { changeIp = false, changePort = false } = attributeOf(request, 'change-request') ?? {};
  const place = arrival.surroundings;
  const changes = changeIp || changePort;
  const other = place?.other() ?? null;
  const origin =
    changes && place?.origin && other
      ? { address: (changeIp ? other : place.origin).address, port: (changePort ? other : place.origin).port }
      : (place?.origin ?? null);
  const mapped: StunEndpoint = { address: arrival.sourceAddress, port: arrival.sourcePort };
  const attributes: StunAttribute[] = [
    { kind: request.dialect === 'rfc8489' ? 'xor-mapped-address' : 'mapped-address', ...mapped },
    ...proof,
  ];
  // RFC 5780 wants these in every answer; a stranger's answer has them as far as its request was padded to pay for them.
  // The tag comes in whole words and needs no padding.
  const fixed = HEADER_BYTES + bytesOf(mapped) + (tag ? ATTRIBUTE_HEADER_BYTES + tag.bytes.length : 0);
  let room = message.length - fixed;
  if (other || proven) {
    for (const attribute of addressesFor(request.dialect, mapped, origin, other)) {
      if (bytesOf(attribute) > room) continue;
      attributes.push(attribute);
      room -= bytesOf(attribute);
    }
  }
  if (padding) {
    room -= ATTRIBUTE_HEADER_BYTES;
    if (room >= WORD_BYTES) {
      attributes.push({ kind: 'padding', value: new Uint8Array(room - (room % WORD_BYTES)) });
    }
  }
  const delivery: Delivery | undefined =
    changes || responsePort
      ? {
          ...tag?.delivery,
          afterMs: tag?.delivery?.afterMs ?? 0,
          changeIp,
          changePort,
          toPort: responsePort?.port ?? null,
        }
      : tag?.delivery;
  return {
    bytes: respond('success', attributes),
    proven,
    exempt: !proven && attributes.length === 1,
    delivery,
    consults: tag?.consults ?? false,
    of: tag?.of,
  };
};

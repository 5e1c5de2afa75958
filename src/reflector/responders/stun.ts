/**
 * Answers Binding requests with the smallest response that the dialect allows; the proof goes along for who sent a tag.
 * With one address it cannot answer from another, and says so (RFC 5780 §6.1: 420).
 */
import { STUN_TAG_ATTRIBUTE } from '../../wire/carriers.js';
import {
  BINDING,
  encodeStun,
  notUnderstood,
  opaqueOf,
  parseStun,
  type StunAttribute,
  stunResponse,
} from '../../wire/stun.js';
import { answerTag, type Responder } from '../exchange.js';

const UNKNOWN_ATTRIBUTE = 420;

/** What a Binding request may carry although it changes nothing for us. */
const passesOver = (attribute: StunAttribute): boolean => {
  switch (attribute.kind) {
    case 'username':
    case 'realm':
    case 'nonce':
    case 'message-integrity':
    case 'message-integrity-sha256':
      return true;
    case 'change-request':
      // RFC 3489's first test asks for no change.
      return !attribute.changeIp && !attribute.changePort;
    default:
      return false;
  }
};

export const answerStun: Responder = (message, arrival, host) => {
  const parsed = parseStun(message);
  if (!parsed.ok || parsed.value.class !== 'request' || parsed.value.method !== BINDING) return null;
  const request = parsed.value;
  const respond = (kind: 'success' | 'error', attributes: readonly StunAttribute[]): Uint8Array =>
    encodeStun(stunResponse(request, kind, attributes));

  const unknown = notUnderstood(request, passesOver);
  if (unknown.length > 0) {
    const code: StunAttribute = { kind: 'error-code', code: UNKNOWN_ATTRIBUTE, reason: '' };
    const whole = respond('error', [code, { kind: 'unknown-attributes', types: unknown }]);
    // The list does not fit into the answer to a bare CHANGE-REQUEST; the code alone is as long as that request.
    return { bytes: whole.length <= message.length ? whole : respond('error', [code]), proven: false };
  }
  const mapped: StunAttribute = {
    kind: request.dialect === 'rfc8489' ? 'xor-mapped-address' : 'mapped-address',
    address: arrival.sourceAddress,
    port: arrival.sourcePort,
  };
  const tag = answerTag(opaqueOf(request, STUN_TAG_ATTRIBUTE), message, arrival, host);
  if (!tag) return { bytes: respond('success', [mapped]), proven: false, exempt: true };
  return {
    bytes: respond('success', [mapped, { kind: 'opaque', type: STUN_TAG_ATTRIBUTE, value: tag }]),
    proven: true,
  };
};

/**
 * Answers IKE_SA_INIT without keeping state: NO_PROPOSAL_CHOSEN, with the proof in a Vendor ID for who sent a tag. No
 * SA ever comes of it, so the responder's SPI stays zero (RFC 7296 §2.6).
 */
import { IKE_EXCHANGES, looksLikeIke, NO_SPI, NOTIFY_TYPES, notify, parseIke, parseIkeHeader } from '../../wire/ike.js';
import { buildSaInitResponse, vendorIdsOf } from '../../wire/ike-sa-init.js';
import { buildVersionRefusal } from '../../wire/ike-version.js';
import { NON_ESP_MARKER, withNonEspMarker } from '../../wire/nat-t.js';
import { type Arrival, answerTag, type Responder } from '../exchange.js';

const hasMarker = (message: Uint8Array): boolean =>
  NON_ESP_MARKER.every((octet, index) => message[index] === octet) && message.length > NON_ESP_MARKER.length;

const unmarked = (message: Uint8Array): Uint8Array =>
  hasMarker(message) ? message.subarray(NON_ESP_MARKER.length) : message;

/** IKE, bare or behind the non-ESP marker, on whatever port it comes: its own length field vouches for it. */
export const looksLikeIkeAt = (message: Uint8Array, _arrival: Arrival): boolean => looksLikeIke(unmarked(message));

export const answerIke: Responder = (message, arrival, host) => {
  const bare = unmarked(message);
  const wrap = (answer: Uint8Array): Uint8Array => (bare === message ? answer : withNonEspMarker(answer));
  const header = parseIkeHeader(bare);
  if (!header.ok) return null;
  const otherVersion = buildVersionRefusal(header.value);
  if (otherVersion) return { bytes: wrap(otherVersion), proven: false };
  const parsed = parseIke(bare);
  if (!parsed.ok) return null;
  const { exchange, response, initiator, spiI } = parsed.value.header;
  if (exchange !== IKE_EXCHANGES.saInit || response || !initiator) return null;
  const [sealed] = vendorIdsOf(parsed.value.payloads).flatMap((tag) => answerTag(tag, message, arrival, host) ?? []);
  const bytes = buildSaInitResponse({
    spiI,
    spiR: NO_SPI,
    notifies: [notify(NOTIFY_TYPES.NO_PROPOSAL_CHOSEN)],
    vendorIds: sealed ? [sealed.bytes] : [],
  });
  return {
    bytes: wrap(bytes),
    proven: sealed !== undefined,
    delivery: sealed?.delivery,
    consults: sealed?.consults ?? false,
    of: sealed?.of,
  };
};

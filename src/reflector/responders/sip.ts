/** A stateless SIP user agent server (RFC 3261 §8.2.7): OPTIONS are answered, everything else politely declined. */
import { randomBytes } from 'node:crypto';
import { PADDING_HEADER, TAG_HEADER, tagFromText, tagToText } from '../../wire/carriers.js';
import { sha256Hex } from '../../wire/hash.js';
import { buildResponse, header, parseSip, type SipRequest, toTag } from '../../wire/sip.js';
import { type Answer, type Arrival, answerTag, type Host, type Responder } from '../exchange.js';

/** A Map, because a method may be any token and an object knows what `constructor` is. */
const STATUS: ReadonlyMap<string, readonly [number, string]> = new Map([
  ['OPTIONS', [200, 'OK']],
  ['REGISTER', [403, 'Forbidden']],
  ['INVITE', [603, 'Decline']],
  ['BYE', [481, 'Call/Transaction Does Not Exist']],
  ['CANCEL', [481, 'Call/Transaction Does Not Exist']],
]);
const OTHERWISE = [405, 'Method Not Allowed'] as const;
/** A 405 has to say what is allowed (RFC 3261 §21.4.6). */
const ALLOW = { name: 'Allow', value: 'OPTIONS' } as const;
/** RFC 3261 §19.3 wants 32 random bits at least. */
const TO_TAG_DIGITS = 8;
/** So that nobody outside can tell the tag beforehand. */
const TO_TAG_SALT = randomBytes(16).toString('hex');

/** The same for a retransmission as for the request, which without state only the request itself can tell (§8.2.7). */
const toTagFor = ({ essentials: { via, callId, fromTag } }: SipRequest): string =>
  sha256Hex(`${TO_TAG_SALT} ${via.branch} ${callId} ${fromTag}`).slice(0, TO_TAG_DIGITS);

/** The answer to a parsed request; `message` is the request's exact bytes. */
export const answerSipRequest = (
  request: SipRequest,
  message: Uint8Array,
  arrival: Arrival,
  host: Host,
): Answer | null => {
  // An ACK is never answered (RFC 3261 §17.1.1.3), and port 0 is nobody.
  if (request.method === 'ACK' || arrival.sourcePort === 0) return null;
  const [status, reason] = STATUS.get(request.method) ?? OTHERWISE;
  const text = header(request, TAG_HEADER);
  const tag = text === null ? null : answerTag(tagFromText(text), message, arrival, host);
  const respond = (padding: number): Uint8Array =>
    buildResponse(request, {
      status,
      reason,
      toTag: toTag(request) === null ? toTagFor(request) : null,
      received: { address: arrival.sourceAddress, port: arrival.sourcePort },
      extraHeaders: [
        ...(status === OTHERWISE[0] ? [ALLOW] : []),
        ...(tag ? [{ name: TAG_HEADER, value: tagToText(tag.bytes) }] : []),
        ...(padding > 0 ? [{ name: PADDING_HEADER, value: 'x'.repeat(padding) }] : []),
      ],
    });
  const plain = respond(0);
  // Name, colon, blank and the line's end.
  const room = message.length - plain.length - PADDING_HEADER.length - 4;
  const bytes = tag && header(request, PADDING_HEADER) !== null && room > 0 ? respond(room) : plain;
  // Of what was filled up only the size is in question; it would push out what is asked for.
  if (tag && header(request, PADDING_HEADER) === null) host.evidence.keep(tag.name, tag.sequence, message, bytes);
  return { bytes, proven: tag !== null, delivery: tag?.delivery, consults: tag?.consults ?? false };
};

export const answerSip: Responder = (message, arrival, host) => {
  const parsed = parseSip(message);
  return parsed.ok && parsed.value.kind === 'request' ? answerSipRequest(parsed.value, message, arrival, host) : null;
};

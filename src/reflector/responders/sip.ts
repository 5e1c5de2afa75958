/**
 * A stateless SIP user agent server (RFC 3261 §8.2.7): OPTIONS are answered, everything else politely declined. The answer is
 * fitted to the request: what is optional goes first, then long names, until it is no larger.
 */
import { randomBytes } from 'node:crypto';
import { PADDING_HEADER, TAG_HEADER, tagFromText, tagToText } from '../../wire/carriers.js';
import { sha256Hex } from '../../wire/hash.js';
import { buildResponse, type HeaderToSend, header, parseSip, type SipRequest, toTag } from '../../wire/sip.js';
import { type Answer, type Arrival, answerTag, type Host, type Responder } from '../exchange.js';

/** A Map, because a method may be any token and an object knows what `constructor` is. */
const STATUS: ReadonlyMap<string, readonly [number, string]> = new Map([
  ['OPTIONS', [200, 'OK']],
  ['REGISTER', [403, 'Forbidden']],
  ['INVITE', [603, 'Decline']],
  // RFC 6665 §4.2.1.2: whom the notifier does not want to notify. A 405 would need a line more.
  ['SUBSCRIBE', [403, 'Forbidden']],
  ['BYE', [481, 'Call/Transaction Does Not Exist']],
  ['CANCEL', [481, 'Call/Transaction Does Not Exist']],
  // RFC 6665 §4.1.3: of no subscription that is known.
  ['NOTIFY', [481, 'Subscription Does Not Exist']],
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

/** What may be copied into an answer: one line of visible text. */
const PLAIN = /^[ -~]+$/;

const copyOf = (request: SipRequest, name: string): readonly HeaderToSend[] => {
  const value = header(request, name);
  return value !== null && PLAIN.test(value) ? [{ name, value }] : [];
};

/**
 * What an answer need not have, and a device in between may rewrite, for who has proven himself and can compare: where to
 * reach who answers, the way back to him, and what a registrar tells of a registration (RFC 3261 §10.3, §12.1.1, §20.10).
 * The first is left out first where there is no room for all.
 */
const comparable = (request: SipRequest): readonly HeaderToSend[] => {
  switch (request.method) {
    case 'REGISTER':
      return [...copyOf(request, 'Expires'), ...copyOf(request, 'Contact')];
    case 'INVITE':
    case 'SUBSCRIBE':
      return [
        { name: 'Record-Route', value: `<${request.uri};lr>` },
        { name: 'Contact', value: `<${request.uri}>` },
      ];
    default:
      return [{ name: 'Contact', value: `<${request.uri}>` }];
  }
};

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
  const isPadded = header(request, PADDING_HEADER) !== null;
  const respond = (optional: readonly HeaderToSend[], isCompact: boolean): Uint8Array =>
    buildResponse(request, {
      status,
      reason,
      toTag: toTag(request) === null ? toTagFor(request) : null,
      received: { address: arrival.sourceAddress, port: arrival.sourcePort },
      extraHeaders: [
        ...(status === OTHERWISE[0] ? [ALLOW] : []),
        ...optional,
        ...(tag ? [{ name: TAG_HEADER, value: tagToText(tag.bytes) }] : []),
      ],
      isCompact,
    });
  // Of what was filled up only the size is in question.
  const further = tag && !isPadded ? comparable(request) : [];
  let optional = further;
  let bytes = respond(optional, false);
  while (bytes.length > message.length && optional.length > 0) {
    optional = optional.slice(1);
    bytes = respond(optional, false);
  }
  if (bytes.length > message.length) bytes = respond([], true);
  // Name, colon, blank and the line's end.
  const room = message.length - bytes.length - PADDING_HEADER.length - 4;
  if (tag && isPadded && room > 0) bytes = respond([{ name: PADDING_HEADER, value: 'x'.repeat(room) }], false);
  // Padding would push out what is asked for. What is too large to be given is kept: the agent can fetch it another way.
  if (tag && !isPadded) host.evidence.keep(tag.of.name, tag.of.sequence, message, bytes);
  return { bytes, proven: tag !== null, delivery: tag?.delivery, consults: tag?.consults ?? false, of: tag?.of };
};

export const answerSip: Responder = (message, arrival, host) => {
  const parsed = parseSip(message);
  return parsed.ok && parsed.value.kind === 'request' ? answerSipRequest(parsed.value, message, arrival, host) : null;
};

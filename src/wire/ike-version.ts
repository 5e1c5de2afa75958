/** A polite no to who speaks another IKE version than 2, so that a scanner or an old client sees that the path is open. */
import { encodeIkeHeader, type IkeHeader, isZero } from './ike-header.js';
import { encodeIke, IKE_MAJOR_VERSION, notify } from './ike-message.js';
import { NOTIFY_TYPES } from './ike-names.js';

/** ISAKMP's numbers: the Notification payload and the Informational exchange (RFC 2408 §3.1). */
const V1_NOTIFICATION_PAYLOAD = 11;
const V1_INFORMATIONAL = 5;
/** RFC 2407 §4.2 and §4.4.1. */
const V1_DOI_IPSEC = 1;
const V1_PROTOCOL_ISAKMP = 1;
/** Payload header (4), DOI (4), protocol, SPI size, notify type (2) (RFC 2408 §3.14). */
const V1_NOTIFICATION_BYTES = 12;
/** RFC 2408 §3.14.1; IKEv2 kept the number. */
const V1_INVALID_MAJOR_VERSION = 5;

const version1Answer = (header: IkeHeader): Uint8Array => {
  const notification = Buffer.alloc(V1_NOTIFICATION_BYTES);
  notification.writeUInt16BE(V1_NOTIFICATION_BYTES, 2);
  notification.writeUInt32BE(V1_DOI_IPSEC, 4);
  notification.writeUInt8(V1_PROTOCOL_ISAKMP, 8);
  notification.writeUInt16BE(V1_INVALID_MAJOR_VERSION, 10);
  return encodeIkeHeader(
    {
      ...header,
      nextPayload: V1_NOTIFICATION_PAYLOAD,
      exchange: V1_INFORMATIONAL,
      initiator: false,
      higherVersion: false,
      response: false,
    },
    notification,
  );
};

const higherVersionAnswer = (header: IkeHeader): Uint8Array =>
  encodeIke({ ...header, initiator: false, higherVersion: false, response: true }, [
    notify(NOTIFY_TYPES.INVALID_MAJOR_VERSION),
  ]);

/** What can be answered at all: nothing that could itself be a refusal, so that two refusers never talk to each other. */
const answerTo = (header: IkeHeader): Uint8Array | null => {
  if (isZero(header.spiI) || !isZero(header.spiR)) return null;
  if (header.major === 1) return header.exchange === V1_INFORMATIONAL ? null : version1Answer(header);
  return header.major > IKE_MAJOR_VERSION && !header.response ? higherVersionAnswer(header) : null;
};

/**
 * The answer to a first request of another version than 2: INVALID-MAJOR-VERSION in version 1's form (40 octets), or
 * INVALID_MAJOR_VERSION in version 2's for what is higher (36 octets, RFC 7296 §2.5). Null for what must not be
 * answered: version 2 itself, version 0, a message without an initiator's SPI or with a responder's, an answer, version
 * 1's Informational exchange, and a request smaller than its answer, which no true one is.
 */
export const buildVersionRefusal = (header: IkeHeader): Uint8Array | null => {
  const answer = answerTo(header);
  return answer && answer.length <= header.length ? answer : null;
};

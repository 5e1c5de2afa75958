/** What is wrong with an answer of IKE that cannot be read, in a phrase for an administrator. */
import { IKE_HEADER_BYTES, isZero, parseIkeHeader } from './ike-header.js';
import { IKE_EXCHANGES, notifyName } from './ike-names.js';

/** Exchange types of version 1 (RFC 2408 §3.1) that answer a stranger. */
const INFORMATIONAL_V1 = 5;
/** Payload types of Notify: version 1 (RFC 2408 §3.14) and 2 (RFC 7296 §3.10). */
const NOTIFY_PAYLOAD = { 1: 11, 2: 41 } as const;
/** In a Notify payload of version 2: generic header, protocol, SPI size, then the type. */
const NOTIFY_TYPE_AT = 6;
/** Of version 1: generic header, DOI, protocol, SPI size, then the type. */
const NOTIFY_TYPE_AT_V1 = 10;
/** Error types of version 1 that gateways send to a proposal of version 2 (RFC 2408 §3.14.1). */
const V1_NAMES: ReadonlyMap<number, string> = new Map([
  [5, 'INVALID-MAJOR-VERSION'],
  [7, 'INVALID-EXCHANGE-TYPE'],
  [14, 'NO-PROPOSAL-CHOSEN'],
]);

/** The notification that comes first, in brackets; empty where there is none. */
const firstNotify = (bytes: Buffer, nextPayload: number, major: 1 | 2): string => {
  const at = IKE_HEADER_BYTES + (major === 1 ? NOTIFY_TYPE_AT_V1 : NOTIFY_TYPE_AT);
  if (nextPayload !== NOTIFY_PAYLOAD[major] || bytes.length < at + 2) return '';
  const type = bytes.readUInt16BE(at);
  return ` (${major === 1 ? (V1_NAMES.get(type) ?? `notify ${type}`) : notifyName(type)})`;
};

/** The phrase for an IKE message, without marker, that is no answer to IKE_SA_INIT. */
export const faultOfIke = (input: Uint8Array): string => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const parsed = parseIkeHeader(bytes);
  if (!parsed.ok) {
    return bytes.length < IKE_HEADER_BYTES
      ? 'it is shorter than a header of IKE'
      : 'the length in its header is not that of the message';
  }
  const { major, exchange, response, nextPayload, spiI } = parsed.value;
  if (major === 1) {
    const what = exchange === INFORMATIONAL_V1 ? 'an Informational message' : 'a message';
    return `it is ${what} of IKEv1${firstNotify(bytes, nextPayload, 1)}, not IKEv2`;
  }
  if (major !== 2) return `it is a message of version ${major} of IKE`;
  if (exchange === IKE_EXCHANGES.informational) {
    return `it is an INFORMATIONAL message${firstNotify(bytes, nextPayload, 2)}, where IKE_SA_INIT is due`;
  }
  if (exchange !== IKE_EXCHANGES.saInit) return `it is a message of exchange ${exchange}, where IKE_SA_INIT is due`;
  if (!response) return 'it is a request, or our own message come back';
  if (isZero(spiI)) return "it lacks the initiator's SPI";
  return 'its payloads are not those of an answer to IKE_SA_INIT';
};

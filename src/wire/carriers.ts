/** Where the tag rides in each protocol: names and numbers that agent and reflector must agree on. docs/protocol.md. */
import { NOTHING, zeroed } from './octets.js';
import type { RtpPacket } from './rtp.js';
import { ANSWER_TAG_BYTES } from './tag.js';

/** SIP and HTTP: a header field of our own, base64url. */
export const TAG_HEADER = 'X-Callpath';

/** SIP: fills a request up to a size; who has proven itself gets an answer filled up to the request's. */
export const PADDING_HEADER = 'X-Padding';

/** RTCP: the name of an APP packet (RFC 3550 §6.7). */
export const RTCP_APP_NAME = 'CPTH';

/** STUN: a comprehension-optional attribute (RFC 8489 §14: 0x8000–0xFFFF), unassigned by IANA. */
export const STUN_TAG_ATTRIBUTE = 0xca11;

/** DNS: queries are for names below this one; the tag is in the labels before it (RFC 6761's `.invalid` never resolves). */
export const DNS_SUFFIX = 'callpath.invalid';

export const tagToText = (tag: Uint8Array): string => Buffer.from(tag).toString('base64url');

/**
 * A request's tag as text, as long as the answer's will be: what an answer may be large enough for must not hang on header
 * lines that a device on the way may remove. What follows a tag's stated length is padding.
 */
export const paidTagToText = (tag: Uint8Array): string => {
  const paid = zeroed(Math.max(tag.length, ANSWER_TAG_BYTES));
  paid.set(tag);
  return tagToText(paid);
};

/** The longest tag text that is worth decoding: MAX_TAG_BYTES in base64. */
const MAX_TAG_TEXT = 1868;

/** Bytes of a tag from a header field; empty for what is too long to be one. */
export const tagFromText = (text: string): Uint8Array =>
  text.length > MAX_TAG_TEXT ? NOTHING : Buffer.from(text, 'base64url');

/**
 * ESP in UDP: an SPI with these bits set begins with an octet that RFC 7983 §7 leaves free, and IANA reserves only SPIs
 * below 256, so a tag in ESP's payload is told apart from all else that comes to the port.
 */
export const ESP_TAG_SPI_MASK = 0xc100_0000;

/** RTP: whether a packet came back with the far end's tag in place of ours, and the rest as it was sent. */
export const isReturned = (answer: RtpPacket, sent: RtpPacket): boolean =>
  answer.payloadType === sent.payloadType &&
  answer.sequence === sent.sequence &&
  answer.timestamp === sent.timestamp &&
  answer.ssrc === sent.ssrc &&
  answer.payload.length === sent.payload.length &&
  Buffer.compare(answer.payload.subarray(ANSWER_TAG_BYTES), sent.payload.subarray(ANSWER_TAG_BYTES)) === 0;

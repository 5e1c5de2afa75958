/** One answer at most for each datagram: tells protocols apart by their first bytes, and keeps the rules for strangers. */
import { looksLikeDnsQuery } from '../wire/dns-layout.js';
import { looksLikeRtcp } from '../wire/rtcp.js';
import { looksLikeRtp } from '../wire/rtp.js';
import { isKeepAlive, looksLikeSip } from '../wire/sip-demux.js';
import { looksLikeStun } from '../wire/stun.js';
import { looksLikeTag, REQUEST_TAG_BYTES, TAG_MAGIC } from '../wire/tag.js';
import type { Answer, Arrival, Host, Responder } from './exchange.js';
import type { Limiter } from './limits.js';
import { answerBare } from './responders/bare.js';
import { answerDns } from './responders/dns.js';
import { answerIke, looksLikeIkeAt } from './responders/ike.js';
import { answerNatT, isNatTKeepalive } from './responders/nat-t.js';
import { answerRtcp, answerRtp } from './responders/rtp.js';
import { answerSip } from './responders/sip.js';
import { answerStun } from './responders/stun.js';

interface Row {
  readonly looksLike: (message: Uint8Array, arrival: Arrival) => boolean;
  readonly answer: Responder;
  /** Whatever agents send of it carries a tag; of SIP, for one, they send an ACK without. */
  readonly isAlwaysTagged: boolean;
}

/** In the order in which they can be mistaken for each other: the stricter test first. */
const DEMUX: readonly Row[] = [
  { looksLike: looksLikeTag, answer: answerBare, isAlwaysTagged: true },
  { looksLike: looksLikeDnsQuery, answer: answerDns, isAlwaysTagged: false },
  { looksLike: looksLikeStun, answer: answerStun, isAlwaysTagged: false },
  { looksLike: looksLikeIkeAt, answer: answerIke, isAlwaysTagged: false },
  { looksLike: looksLikeSip, answer: answerSip, isAlwaysTagged: false },
  { looksLike: looksLikeRtcp, answer: answerRtcp, isAlwaysTagged: true },
  { looksLike: looksLikeRtp, answer: answerRtp, isAlwaysTagged: true },
  { looksLike: () => true, answer: answerNatT, isAlwaysTagged: true },
];

const MAGIC = Buffer.of(TAG_MAGIC >> 8, TAG_MAGIC & 0xff);
/** A tag's first three octets, magic and version, in base64url as SIP carries it. */
const MAGIC_TEXT = 'yhEB';

/** Whether there can be a tag in it at all: a few searches, cheaper than any parser. DNS writes tags in any case. */
export const mayCarryTag = (message: Uint8Array): boolean => {
  if (message.length < REQUEST_TAG_BYTES) return false;
  const bytes = Buffer.isBuffer(message)
    ? message
    : Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  return bytes.includes(MAGIC) || bytes.includes(MAGIC_TEXT, 0, 'latin1') || looksLikeDnsQuery(message);
};

export interface DatagramRules {
  readonly host: Host;
  readonly limiter: Limiter;
  readonly sawKeepalive: (address: string, port: number) => void;
  /** Told whose requests carry a valid tag. */
  readonly proved?: (address: string) => void;
  /** Told where something came that nobody answers and that carries no valid tag. */
  readonly sawUnreadable?: (address: string, port: number) => void;
}

/**
 * The answer to one datagram, or null. Its bytes are never larger than the datagram, one named exception aside, and none to strangers
 * beyond their prefix's rate: nobody can be flooded through us. What a proven request is not answered for that reason its
 * receipt tells.
 */
export const answerDatagram = (message: Uint8Array, arrival: Arrival, rules: DatagramRules): Answer | null => {
  if (arrival.sourcePort === 0) return null;
  if (isNatTKeepalive(message)) {
    rules.sawKeepalive(arrival.sourceAddress, arrival.sourcePort);
    return null;
  }
  // A CRLF keepalive over UDP is not answered (RFC 5626 §3.5.2 uses STUN there), and told to who asks afterwards.
  if (isKeepAlive(message)) {
    rules.sawKeepalive(arrival.sourceAddress, arrival.sourcePort);
    return null;
  }
  // In a flood every packet that is not read in time is another one lost, perhaps an agent's.
  if (!mayCarryTag(message) && rules.limiter.refuses(arrival.sourceBytes)) return null;
  const row = DEMUX.find(({ looksLike }) => looksLike(message, arrival));
  const legible = rules.host.authority.legible();
  const answer: Answer | null = row ? row.answer(message, arrival, rules.host) : null;
  if (!answer) {
    const isUnreadable = row?.isAlwaysTagged && rules.host.authority.legible() === legible;
    if (isUnreadable) rules.sawUnreadable?.(arrival.sourceAddress, arrival.localPort);
    return null;
  }
  if (answer.bytes.length > message.length && !answer.exempt) {
    if (answer.of) rules.host.sessions.unanswered(answer.of, 'too-large');
    return null;
  }
  if (answer.proven) rules.proved?.(arrival.sourceAddress);
  else if (!rules.limiter.allow(arrival.sourceBytes)) return null;
  return answer;
};

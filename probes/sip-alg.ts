/**
 * `sip-alg`: the requests that a phone makes besides OPTIONS. Only an INVITE has the SDP, and only a REGISTER the
 * Contact, that an ALG is there to rewrite; SUBSCRIBE and NOTIFY carry busy lamps and messages waiting, and some devices
 * pass on only the methods that they know. The true local address and port stand in Via, Contact, From and SDP: Linux
 * rewrites a header only where both match the flow, so a placeholder would hide the ALG.
 */
import type { Transport } from '../src/model/kinds.js';
import { PADDING_HEADER, paidTagToText, TAG_HEADER, tagFromText } from '../src/wire/carriers.js';
import { encodeDeferral } from '../src/wire/deferral.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import {
  buildRequest,
  type HeaderToSend,
  header,
  headers,
  isProvisional,
  matchesTransaction,
  parseSip,
  type SipRequest,
  type SipResponse,
  sipHost,
} from '../src/wire/sip.js';
import { sipStream } from '../src/wire/sip-stream.js';
import { type Arrival, type Asking, judgeEmbedded, type Probe, type Reading } from './contract.js';

export const ALG_METHODS = ['OPTIONS', 'REGISTER', 'INVITE', 'SUBSCRIBE', 'NOTIFY'] as const;
export type AlgMethod = (typeof ALG_METHODS)[number];

/** One exchange as this end saw it. */
export interface Exchange {
  readonly sequence: number;
  readonly sent: Uint8Array;
  readonly received: Uint8Array;
}

interface AlgQuestion {
  readonly method: AlgMethod;
  /** The request is filled up to this many bytes, if it has fewer. */
  readonly atLeastBytes?: number;
  /** Where the SDP says that media is expected; a port at which nobody listens, if left out. */
  readonly mediaPort?: number;
  /** How long the far end is to wait with its answer, in milliseconds. */
  readonly answerAfterMs?: number;
}

const USER_AGENT = 'callpath';
const VIA_TRANSPORT: Record<Transport, string> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' };
/** Where the SDP says that media is expected: nobody listens there, and nobody is asked to send. Even, as RTP wants. */
const MEDIA_PORT = 40_000;

/** An offer of one G.711 stream (RFC 4566, RFC 3264 §5), with RTCP's port spelled out (RFC 3605). */
const offer = (address: string, mediaPort: number): string => {
  const kind = address.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=probe 3724394400 3724394400 IN ${kind} ${address}`,
    's=callpath',
    `c=IN ${kind} ${address}`,
    't=0 0',
    `m=audio ${mediaPort} RTP/AVP 0 8 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    `a=rtcp:${mediaPort + 1}`,
    'a=sendrecv',
    '',
  ].join('\r\n');
};

/** RFC 6665 §8.2: an event, and of a notification the state of its subscription. `keep-alive` is what phones send unasked. */
const FIELDS: Record<AlgMethod, readonly HeaderToSend[]> = {
  OPTIONS: [],
  REGISTER: [{ name: 'Expires', value: '3600' }],
  INVITE: [],
  SUBSCRIBE: [
    { name: 'Event', value: 'message-summary' },
    { name: 'Accept', value: 'application/simple-message-summary' },
    { name: 'Expires', value: '3600' },
  ],
  NOTIFY: [
    { name: 'Event', value: 'keep-alive' },
    { name: 'Subscription-State', value: 'active' },
  ],
};

const build = (asking: Asking, question: AlgQuestion, tag: Uint8Array | null, filling: number): Uint8Array => {
  const { method, mediaPort = MEDIA_PORT } = question;
  const { check, local, seed } = asking;
  const hex = Buffer.from(seed).toString('hex');
  const scheme = check.transport === 'tls' ? 'sips' : 'sip';
  const here = `${sipHost(local.address)}:${local.port}`;
  const there = sipHost(check.host);
  const parameter = check.transport === 'tcp' ? ';transport=tcp' : '';
  const user = `${scheme}:probe@${here}`;
  const extras = [
    ...FIELDS[method],
    ...(tag ? [{ name: TAG_HEADER, value: paidTagToText(tag) }] : []),
    ...(filling > 0 ? [{ name: PADDING_HEADER, value: 'x'.repeat(filling) }] : []),
  ];
  return buildRequest({
    method,
    // A registrar is named without user (RFC 3261 §10.2); who is called has one.
    requestUri: `${scheme}:${method === 'INVITE' ? 'probe@' : ''}${there}:${check.port}${parameter}`,
    via: {
      transport: VIA_TRANSPORT[check.transport],
      host: local.address,
      port: local.port,
      branch: `z9hG4bK${hex.slice(0, 20)}`,
    },
    from: { uri: user, tag: hex.slice(20, 36) },
    // What is registered is the address-of-record, which is also From's (RFC 3261 §10.2).
    to: { uri: method === 'REGISTER' ? user : `${scheme}:probe@${there}` },
    // With the host, as most phones write it: some ALGs replace it there as well.
    callId: `${hex.slice(36, 60)}@${sipHost(local.address)}`,
    cseq: 1,
    contact: `${user}${parameter}`,
    userAgent: USER_AGENT,
    extraHeaders: extras,
    ...(method === 'INVITE' && {
      body: { contentType: 'application/sdp', content: Buffer.from(offer(local.address, mediaPort), 'latin1') },
    }),
  });
};

/** `X-Padding: ` and its line's end. */
const PADDING_OVERHEAD = PADDING_HEADER.length + 4;

const filled = (asking: Asking, question: AlgQuestion, tag: Uint8Array | null): Uint8Array => {
  const plain = build(asking, question, tag, 0);
  const missing = (question.atLeastBytes ?? 0) - plain.length;
  return missing <= 0 ? plain : build(asking, question, tag, Math.max(1, missing - PADDING_OVERHEAD));
};

const firstRaw = (message: SipRequest | SipResponse, name: string): string => headers(message, name)[0] ?? '';

/**
 * The ACK that ends an INVITE's transaction after its refusal (RFC 3261 §17.1.1.3): whatever keeps state of the call on
 * the way forgets it, and nothing rings. Null for anything else than a refused INVITE.
 */
const acknowledgement = ({ sent, received }: Exchange): Uint8Array | null => {
  const request = parseSip(sent);
  const response = parseSip(received);
  if (!request.ok || request.value.kind !== 'request' || request.value.method !== 'INVITE') return null;
  if (!response.ok || response.value.kind !== 'response' || response.value.status < 300) return null;
  const { value } = request;
  const lines = [
    `ACK ${value.uri} SIP/2.0`,
    `Via: ${firstRaw(value, 'via')}`,
    'Max-Forwards: 70',
    `From: ${firstRaw(value, 'from')}`,
    `To: ${firstRaw(response.value, 'to')}`,
    `Call-ID: ${value.essentials.callId}`,
    `CSeq: ${value.essentials.cseq.sequence} ACK`,
    'Content-Length: 0',
    '',
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'latin1');
};

/** The answers to our very request, and nothing else; a provisional one is followed by another. */
const readResponse = (response: SipResponse, bytes: Uint8Array, arrival: Arrival): Reading<Exchange> => {
  const { messages, proof } = arrival.question;
  const [sent] = messages;
  const request = sent && parseSip(sent);
  if (!sent || !request?.ok) return { kind: 'refused', why: 'wrong-id' };
  const { via, cseq, callId, fromTag } = request.value.essentials;
  const mine = { branch: via.branch ?? '', method: cseq.method, cseq: cseq.sequence, callId, fromTag: fromTag ?? '' };
  if (isProvisional(response)) {
    return { kind: 'refused', why: matchesTransaction(mine, response) ? 'provisional' : 'wrong-id' };
  }
  const tag = header(response, TAG_HEADER);
  const reading = judgeEmbedded(tag === null ? null : tagFromText(tag), arrival, { status: response.status });
  if (reading.kind !== 'answer' || !reading.authentic || !proof) {
    return matchesTransaction(mine, response) ? reading : { kind: 'refused', why: 'wrong-id' };
  }
  // Its proof names our very request: what was done to its ids on the way shows in the comparison.
  const exchange: Exchange = { sequence: proof.sequence, sent, received: Uint8Array.from(bytes) };
  const reply = acknowledgement(exchange);
  return { ...reading, value: exchange, ...(reply && { reply }) };
};

/** The probe of one method; its answers bring home the bytes as well, and a refused INVITE is acknowledged. */
export const algProbe = (question: AlgQuestion): Probe<Exchange> => ({
  kind: 'sip-options',
  retransmits: true,
  timed: 'exchange',
  ask: (asking) => {
    const { answerAfterMs } = question;
    const tag =
      answerAfterMs === undefined
        ? makeTag(asking)
        : makeTag(
            asking,
            'deferredRequest',
            encodeDeferral({ afterMs: answerAfterMs, changeIp: false, changePort: false }),
          );
    const message = filled(asking, question, tag);
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    if (arrival.check.transport === 'udp') {
      const parsed = parseSip(bytes);
      if (!parsed.ok) return { kind: 'refused', why: 'malformed' };
      if (parsed.value.kind !== 'response') return { kind: 'refused', why: 'not-an-answer' };
      return readResponse(parsed.value, bytes, arrival);
    }
    let last: Reading<Exchange> = { kind: 'partial' };
    for (const item of sipStream().push(bytes)) {
      if (item.kind === 'refusal') return { kind: 'refused', why: 'malformed' };
      if (item.kind !== 'message' || item.message.kind !== 'response') continue;
      last = readResponse(item.message, item.bytes, arrival);
      if (last.kind === 'answer') return last;
    }
    return last.kind === 'refused' && last.why === 'provisional' ? { kind: 'partial' } : last;
  },
});

/**
 * `sip-options`: the request with which phones and trunks ask whether the other side is there (RFC 3261 §11). Any
 * final response proves the path, a 404 or 503 as well as a 200: only the path is in question here.
 */
import type { Transport } from '../src/model/kinds.js';
import type { Evidence } from '../src/model/observation.js';
import { paidTagToText, TAG_HEADER, tagFromText } from '../src/wire/carriers.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import {
  buildRequest,
  header,
  headers,
  isProvisional,
  matchesTransaction,
  parseSip,
  type SipResponse,
  sipHost,
  topVia,
  type Via,
} from '../src/wire/sip.js';
import { faultOfSip } from '../src/wire/sip-fault.js';
import { sipStream } from '../src/wire/sip-stream.js';
import { type Asking, changedOnReturn, judgeEmbedded, type Probe, type Question, type Reading } from './contract.js';

/** Fields of an answer that an administrator wants to read; each may be as long as a hostile server likes. */
const MAX_FIELD = 200;
/** As many Warnings and challenges as a line can hold. */
const MAX_VALUES = 3;

const USER_AGENT = 'callpath';
/** A server may name itself at length; evidence keeps this much. */
const MAX_SERVER = 120;

const VIA_TRANSPORT: Record<Transport, string> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' };

/** Pieces of the seed for the ids that RFC 3261 wants unique: branch, From tag, Call-ID. */
const ids = (seed: Uint8Array) => {
  const hex = Buffer.from(seed).toString('hex');
  return { branch: `z9hG4bK${hex.slice(0, 20)}`, tag: hex.slice(20, 36), callId: hex.slice(36, 60) };
};

const build = (asking: Asking, tag: Uint8Array | null): Uint8Array => {
  const { check, local, seed } = asking;
  const { branch, tag: fromTag, callId } = ids(seed);
  const secure = check.transport === 'tls';
  const scheme = secure ? 'sips' : 'sip';
  const here = `${sipHost(local.address)}:${local.port}`;
  const there = check.bySrv ? sipHost(check.host) : `${sipHost(check.host)}:${check.port}`;
  const parameter = check.transport === 'tcp' ? ';transport=tcp' : '';
  return buildRequest({
    method: 'OPTIONS',
    requestUri: `${scheme}:${there}${parameter}`,
    via: { transport: VIA_TRANSPORT[check.transport], host: local.address, port: local.port, branch },
    // The true address and port: Linux's helper rewrites a header only where both match the flow.
    from: { uri: `${scheme}:${check.from ?? `probe@${here}`}`, tag: fromTag },
    to: { uri: `${scheme}:probe@${sipHost(check.host)}` },
    // With the host, as most phones write it: some ALGs replace it there as well.
    callId: `${callId}@${sipHost(local.address)}`,
    cseq: 1,
    contact: `${scheme}:probe@${here}${parameter}`,
    userAgent: USER_AGENT,
    ...(tag && { extraHeaders: [{ name: TAG_HEADER, value: paidTagToText(tag) }] }),
  });
};

/** Why a response is no answer to our question, or null if it is one. */
const refusalOf = (response: SipResponse, question: Question): Reading | null => {
  const [sent] = question.messages;
  const request = sent && parseSip(sent);
  if (!request?.ok) return { kind: 'refused', why: 'wrong-id' };
  const { via, cseq, callId, fromTag } = request.value.essentials;
  const ours = matchesTransaction(
    { branch: via.branch ?? '', method: cseq.method, cseq: cseq.sequence, callId, fromTag: fromTag ?? '' },
    response,
  );
  if (!ours) return { kind: 'refused', why: 'wrong-id' };
  if (!isProvisional(response)) return null;
  const status = `${response.status} ${response.reason.slice(0, MAX_FIELD)}`.trim();
  return { kind: 'refused', why: 'provisional', what: `it is ${status}, and nothing final follows` };
};

/** `Digest realm="carrier.example", …` as `Digest carrier.example`: which account is wanted, without the nonce. */
const challengeOf = (value: string): string => {
  const scheme = /^[A-Za-z][A-Za-z0-9-]{0,20}/.exec(value)?.[0] ?? '?';
  const realm = /realm="([^"]{0,80})"/i.exec(value)?.[1];
  return realm === undefined ? scheme : `${scheme} ${realm}`;
};

/** What the server says of itself and of the request (RFC 3261 §20). Left out where it says nothing. */
const saidOf = (response: SipResponse): Evidence => {
  const one = (name: string): string | null => header(response, name)?.slice(0, MAX_FIELD) ?? null;
  const all = (name: string): readonly string[] =>
    headers(response, name)
      .slice(0, MAX_VALUES)
      .map((value) => value.slice(0, MAX_FIELD));
  const [retryAfter, allow, warning] = [one('retry-after'), headers(response, 'allow').join(', '), all('warning')];
  const wanted = [...all('www-authenticate'), ...all('proxy-authenticate')].map(challengeOf);
  return {
    status: response.status,
    reason: response.reason.slice(0, MAX_FIELD),
    server: (header(response, 'server') ?? header(response, 'user-agent'))?.slice(0, MAX_SERVER) ?? null,
    ...(retryAfter !== null && { retryAfter }),
    ...(warning.length > 0 && { warning }),
    ...(allow !== '' && { allow: allow.slice(0, MAX_FIELD) }),
    ...(wanted.length > 0 && { authentication: wanted }),
  };
};

/**
 * Whether the answer tells us another address or port of ours than the one that the far end attests to have seen: phones
 * learn their public address there (RFC 3581 §4), and a server writes what it saw.
 */
const tellsAnotherOrigin = ({ received, rport }: Via, reading: Reading): boolean => {
  const attestation = reading.kind === 'answer' ? reading.attestation : null;
  if (!attestation?.intact) return false;
  return received?.toLowerCase() !== attestation.seenAddress.toLowerCase() || rport !== attestation.seenPort;
};

export const probe: Probe = {
  kind: 'sip-options',
  retransmits: true,
  timed: 'exchange',
  ask: (asking) => {
    const tag = makeTag(asking);
    const message = build(asking, tag);
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    const answer = (response: SipResponse): Reading => {
      const refusal = refusalOf(response, arrival.question);
      const via = topVia(response);
      const tag = header(response, TAG_HEADER);
      const reading = judgeEmbedded(tag === null ? null : tagFromText(tag), arrival, {
        ...saidOf(response),
        received: via.received,
        rport: typeof via.rport === 'number' ? via.rport : null,
      });
      if (refusal === null) return changedOnReturn(reading, tellsAnotherOrigin(via, reading));
      // Its proof names our very request: that a phone would not know it by its ids is somebody's doing, and no silence.
      const isProven = reading.kind === 'answer' && reading.authentic === true && !isProvisional(response);
      return isProven ? changedOnReturn(reading, true) : refusal;
    };
    if (arrival.check.transport === 'udp') {
      const parsed = parseSip(bytes);
      if (!parsed.ok) return { kind: 'refused', why: 'malformed', what: faultOfSip(bytes, parsed.refusal) };
      return parsed.value.kind === 'response' ? answer(parsed.value) : { kind: 'refused', why: 'not-an-answer' };
    }
    let last: Reading = { kind: 'partial', ...(bytes.length > 0 && { what: faultOfSip(bytes, null) }) };
    for (const item of sipStream().push(bytes)) {
      if (item.kind === 'refusal') {
        return { kind: 'refused', why: 'malformed', what: faultOfSip(bytes, item.refusal) };
      }
      if (item.kind !== 'message') continue;
      last = item.message.kind === 'response' ? answer(item.message) : { kind: 'refused', why: 'not-an-answer' };
      if (last.kind === 'answer') return last;
    }
    // A provisional response is followed by another on the same connection.
    return last.kind === 'refused' && last.why === 'provisional'
      ? { kind: 'partial', ...(last.what !== undefined && { what: last.what }) }
      : last;
  },
};

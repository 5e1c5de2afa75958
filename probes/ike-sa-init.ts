/**
 * `ike-sa-init`: the first message of IKEv2 as a handset sends it (RFC 7296 §1.2); on the NAT-T port behind the non-ESP
 * marker. Every well-formed answer proves the path, refusals included. The exchange stops there: nothing is
 * authenticated. Only a demand for a cookie or for another group is met, as every initiator does.
 */
import { createHash } from 'node:crypto';
import type { Evidence } from '../src/model/observation.js';
import { looksLikeIke, NO_SPI, NOTIFY_TYPES, notifyName, parseIke, parseIkeHeader } from '../src/wire/ike.js';
import { faultOfIke } from '../src/wire/ike-fault.js';
import { groupName, IKE_GROUPS, type IkeGroup, isIkeGroup, makeKeyExchange } from '../src/wire/ike-groups.js';
import {
  buildSaInitRequest,
  findNotify,
  natDetectionHash,
  readSaInitResponse,
  type SaInitResponse,
  type SaInitResponseRefusal,
} from '../src/wire/ike-sa-init.js';
import { parseIp, unmapIp } from '../src/wire/ip.js';
import { classifyNatT, withNonEspMarker } from '../src/wire/nat-t.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { type Arrival, type Asking, type Demands, judgeEmbedded, type Probe, type ReadingRefusal } from './contract.js';

const SPI_BYTES = 8;

/** One real public value of each group a process: nothing is ever derived from it, and making one costs milliseconds. */
const PUBLIC_VALUES = new Map<IkeGroup, Uint8Array>();
const publicValue = (group: IkeGroup): Uint8Array => {
  const value = PUBLIC_VALUES.get(group) ?? makeKeyExchange(group);
  PUBLIC_VALUES.set(group, value);
  return value;
};

/** What the far end wants in the next round: the names under which `read` hands it to `ask`. */
const wantedGroup = ({ group }: Demands): IkeGroup =>
  typeof group === 'number' && isIkeGroup(group) ? group : IKE_GROUPS.modp2048;
const wantedCookie = ({ cookie }: Demands): Uint8Array | null => (cookie instanceof Uint8Array ? cookie : null);

/** The initiator's SPI, never zero (RFC 7296 §3.1). */
const spiOf = (seed: Uint8Array): Uint8Array => {
  const spi = Uint8Array.from(seed.subarray(0, SPI_BYTES));
  spi[0] = (spi[0] ?? 0) | 1;
  return spi;
};

const build = (asking: Asking, tag: Uint8Array | null): Uint8Array => {
  const { check, local, seed, demands = {} } = asking;
  const group = wantedGroup(demands);
  const spiI = spiOf(seed);
  const here = parseIp(local.address);
  const there = parseIp(check.address ?? '');
  return buildSaInitRequest({
    spiI,
    groups: [IKE_GROUPS.modp2048, IKE_GROUPS.curve25519, IKE_GROUPS.ecp256],
    ke: { group, value: publicValue(group) },
    nonce: createHash('sha256').update('nonce').update(seed).digest(),
    natDetection:
      here && there
        ? {
            source: natDetectionHash(spiI, NO_SPI, here.bytes, local.port),
            destination: natDetectionHash(spiI, NO_SPI, there.bytes, check.port),
          }
        : null,
    cookie: wantedCookie(demands),
    vendorIds: tag ? [tag] : [],
    fragmentationSupported: true,
  });
};

/** What the request of this round carried: an answer that asks for just that is one to an earlier round, come late. */
const askedWith = (request: Uint8Array): { readonly group: number | null; readonly cookie: Uint8Array | null } => {
  const parsed = parseIke(request);
  if (!parsed.ok) return { group: null, cookie: null };
  const ke = parsed.value.payloads.find((payload) => payload.kind === 'ke');
  return {
    group: ke?.group ?? null,
    cookie: findNotify(parsed.value.payloads, NOTIFY_TYPES.COOKIE)?.data ?? null,
  };
};

const resultOf = (response: SaInitResponse): Evidence => {
  switch (response.kind) {
    case 'accepted':
      return { result: 'accepted', group: groupName(response.ke.group) };
    case 'cookie':
      return { result: 'cookie' };
    case 'invalid-ke':
      return { result: 'invalid-ke', wantedGroup: groupName(response.group) };
    case 'notify':
      return { result: 'notify', notify: notifyName(response.type) };
  }
};

/** The demand of an answer that wants another round, or null for one that ends the exchange. */
const demandOf = (response: SaInitResponse): Demands | null => {
  if (response.kind === 'cookie') return { cookie: Uint8Array.from(response.cookie) };
  if (response.kind === 'invalid-ke' && isIkeGroup(response.group)) return { group: response.group };
  return null;
};

const isAskedAlready = (response: SaInitResponse, request: Uint8Array): boolean => {
  const { group, cookie } = askedWith(request);
  if (response.kind === 'cookie') return cookie !== null && Buffer.compare(cookie, response.cookie) === 0;
  return response.kind === 'invalid-ke' && response.group === group;
};

/** Is what the far end calls an end of the flow what we call it? Null where it does not say. */
const sees = (response: SaInitResponse, spiI: Uint8Array, type: number, address: string, port: number) => {
  const hashes = response.notifies.filter((one) => one.type === type);
  const ip = parseIp(address);
  if (hashes.length === 0 || !ip) return null;
  // A responder with several addresses sends several hashes of its own, of which one has to match (RFC 7296 §2.23).
  const expected = natDetectionHash(spiI, response.spiR, unmapIp(ip.bytes), port);
  return hashes.some(({ data }) => Buffer.compare(data, expected) === 0);
};

/** NAT_DETECTION_*_IP of the answer: its destination is our end as the responder sees it, its source the responder's own. */
const natOf = (response: SaInitResponse, spiI: Uint8Array, { check, local }: Arrival): Evidence => {
  const ours = local && sees(response, spiI, NOTIFY_TYPES.NAT_DETECTION_DESTINATION_IP, local.address, local.port);
  const theirs = sees(response, spiI, NOTIFY_TYPES.NAT_DETECTION_SOURCE_IP, check.address ?? '', check.port);
  return {
    ...(typeof ours === 'boolean' && { natBeforeUs: !ours }),
    ...(theirs !== null && { natBeforeThem: !theirs }),
  };
};

const describe = (response: SaInitResponse, spiI: Uint8Array, arrival: Arrival): Evidence => ({
  ...resultOf(response),
  ...natOf(response, spiI, arrival),
  ...(response.kind === 'accepted' && {
    fragmentation: response.notifies.some(({ type }) => type === NOTIFY_TYPES.IKEV2_FRAGMENTATION_SUPPORTED),
  }),
});

const WHY: Partial<Record<SaInitResponseRefusal, ReadingRefusal>> = {
  'not-a-response': 'not-an-answer',
  'wrong-exchange': 'not-an-answer',
  'wrong-spi': 'wrong-id',
  'message-id': 'wrong-id',
};

export const probe: Probe = {
  kind: 'ike-sa-init',
  retransmits: true,
  timed: 'exchange',
  ask: (asking) => {
    const tag = makeTag(asking);
    const bare = build(asking, tag);
    const message = asking.check.natT ? withNonEspMarker(bare) : bare;
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    const unwrap = (datagram: Uint8Array): Uint8Array | null => {
      if (!arrival.check.natT) return datagram;
      const natT = classifyNatT(datagram);
      return natT.ok && natT.value.kind === 'ike' ? natT.value.message : null;
    };
    if (arrival.check.natT && looksLikeIke(bytes)) {
      return { kind: 'refused', why: 'malformed', what: 'the non-ESP marker in front of it is missing (RFC 3948)' };
    }
    const message = unwrap(bytes);
    const [sent] = arrival.question.messages;
    const request = sent && unwrap(sent);
    const header = request && parseIkeHeader(request);
    if (!message || !request || !header?.ok) return { kind: 'refused', why: 'malformed' };
    const response = readSaInitResponse(message, { spiI: header.value.spiI });
    if (!response.ok) {
      const why = WHY[response.refusal] ?? 'malformed';
      return { kind: 'refused', why, ...(why !== 'wrong-id' && { what: faultOfIke(message) }) };
    }
    const { spiI } = header.value;
    const detail = describe(response.value, spiI, arrival);
    const proofs = response.value.vendorIds.map((tag) => judgeEmbedded(tag, arrival, detail));
    const proven = proofs.find((reading) => reading.kind === 'answer' && reading.authentic === true);
    if (proven) return proven;
    const demands = demandOf(response.value);
    if (!demands) {
      const reading = judgeEmbedded(null, arrival, detail);
      // It holds an SA half open. A few more, and charon ignores our address for a while (block_threshold): our own doing.
      return reading.kind === 'answer' && response.value.kind === 'accepted'
        ? { ...reading, askNoMore: true }
        : reading;
    }
    return { kind: 'again', demands, detail, isRepeated: isAskedAlready(response.value, request) };
  },
};

/**
 * `ike-sa-init`: the first message of IKEv2 as a handset sends it (RFC 7296 §1.2); on the NAT-T port behind the non-ESP
 * marker. Every well-formed answer proves the path, refusals included. The exchange stops there: nothing is
 * authenticated, and nothing is followed up.
 */
import { createHash } from 'node:crypto';
import type { Evidence } from '../src/model/observation.js';
import { NO_SPI, notifyName, parseIkeHeader } from '../src/wire/ike.js';
import { groupName, IKE_GROUPS, makeKeyExchange } from '../src/wire/ike-groups.js';
import {
  buildSaInitRequest,
  natDetectionHash,
  readSaInitResponse,
  type SaInitResponse,
  type SaInitResponseRefusal,
} from '../src/wire/ike-sa-init.js';
import { parseIp } from '../src/wire/ip.js';
import { classifyNatT, withNonEspMarker } from '../src/wire/nat-t.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { type Asking, judgeEmbedded, type Probe, type ReadingRefusal } from './contract.js';

const SPI_BYTES = 8;

/** One real public value a process: nothing is ever derived from it, and making one costs milliseconds. */
const KEY_EXCHANGE = { group: IKE_GROUPS.modp2048, value: makeKeyExchange(IKE_GROUPS.modp2048) };

/** The initiator's SPI, never zero (RFC 7296 §3.1). */
const spiOf = (seed: Uint8Array): Uint8Array => {
  const spi = Uint8Array.from(seed.subarray(0, SPI_BYTES));
  spi[0] = (spi[0] ?? 0) | 1;
  return spi;
};

const build = (asking: Asking, tag: Uint8Array | null): Uint8Array => {
  const { check, local, seed } = asking;
  const spiI = spiOf(seed);
  const here = parseIp(local.address);
  const there = parseIp(check.address ?? '');
  return buildSaInitRequest({
    spiI,
    groups: [IKE_GROUPS.modp2048, IKE_GROUPS.curve25519, IKE_GROUPS.ecp256],
    ke: KEY_EXCHANGE,
    nonce: createHash('sha256').update('nonce').update(seed).digest(),
    natDetection:
      here && there
        ? {
            source: natDetectionHash(spiI, NO_SPI, here.bytes, local.port),
            destination: natDetectionHash(spiI, NO_SPI, there.bytes, check.port),
          }
        : null,
    cookie: null,
    vendorIds: tag ? [tag] : [],
    fragmentationSupported: true,
  });
};

const describe = (response: SaInitResponse): Evidence => {
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
    const message = unwrap(bytes);
    const [sent] = arrival.question.messages;
    const request = sent && unwrap(sent);
    const header = request && parseIkeHeader(request);
    if (!message || !header?.ok) return { kind: 'refused', why: 'malformed' };
    const response = readSaInitResponse(message, { spiI: header.value.spiI });
    if (!response.ok) return { kind: 'refused', why: WHY[response.refusal] ?? 'malformed' };
    const proofs = response.value.vendorIds.map((tag) => judgeEmbedded(tag, arrival, describe(response.value)));
    return (
      proofs.find((reading) => reading.kind === 'answer' && reading.authentic === true) ??
      judgeEmbedded(null, arrival, describe(response.value))
    );
  },
};

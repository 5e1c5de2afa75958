/**
 * `nat-t-keepalive`: the single octet 0xFF that keeps a NAT mapping of IPsec open (RFC 3948 §2.3). Its receiver ignores
 * it, so it is followed by a tag in ESP's clothes from the same port: the reflector's answer tells how many keepalives
 * it saw from there.
 */
import { ESP_TAG_SPI_MASK } from '../src/wire/carriers.js';
import { classifyNatT, encodeEspInUdp, NAT_T_KEEPALIVE } from '../src/wire/nat-t.js';
import { zeroed } from '../src/wire/octets.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { ANSWER_TAG_BYTES } from '../src/wire/tag.js';
import { judgeEmbedded, type Probe } from './contract.js';

export const probe: Probe = {
  kind: 'nat-t-keepalive',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const payload = zeroed(ANSWER_TAG_BYTES);
    const tag = makeTag(asking);
    if (tag) payload.set(tag);
    const spi = (Buffer.from(asking.seed).readUInt32BE(0) | ESP_TAG_SPI_MASK) >>> 0;
    const message = encodeEspInUdp({ spi, sequence: asking.sequence >>> 0, payload });
    return {
      messages: [NAT_T_KEEPALIVE, message],
      proof: tag && expectProof(asking, message),
      answeredByOpening: false,
    };
  },
  read: (bytes, arrival) => {
    const datagram = classifyNatT(bytes);
    if (!datagram.ok || datagram.value.kind !== 'esp') return { kind: 'refused', why: 'malformed' };
    const reading = judgeEmbedded(datagram.value.payload, arrival, {});
    return reading.kind === 'answer' && reading.authentic !== true ? { kind: 'refused', why: 'bad-proof' } : reading;
  },
};

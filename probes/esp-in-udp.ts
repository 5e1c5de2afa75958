/**
 * `esp-in-udp`: a packet of the form of encrypted IPsec traffic (RFC 3948 §2.1), as large as those that carry a call's
 * longest SIP messages. Who passes IKE on the NAT-T port and drops this lets a tunnel come up that carries nothing. The
 * reflector answers with as many octets, so that both directions are asked.
 */
import { ESP_TAG_SPI_MASK } from '../src/wire/carriers.js';
import { classifyNatT, ESP_HEADER_BYTES, encodeEspInUdp } from '../src/wire/nat-t.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { judgeEmbedded, type Probe } from './contract.js';

/** The datagram's payload: with 28 octets of IPv4 and UDP (48 with IPv6) it still fits PPPoE's 1,492 unfragmented. */
const DATAGRAM_BYTES = 1400;

export const probe: Probe = {
  kind: 'esp-in-udp',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const payload = Buffer.alloc(DATAGRAM_BYTES - ESP_HEADER_BYTES);
    const tag = makeTag(asking);
    if (tag) payload.set(tag);
    const spi = (Buffer.from(asking.seed).readUInt32BE(0) | ESP_TAG_SPI_MASK) >>> 0;
    const message = encodeEspInUdp({ spi, sequence: asking.sequence >>> 0, payload });
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    const datagram = classifyNatT(bytes);
    if (!datagram.ok || datagram.value.kind !== 'esp') return { kind: 'refused', why: 'malformed' };
    const reading = judgeEmbedded(datagram.value.payload, arrival, { answerBytes: bytes.length });
    return reading.kind === 'answer' && reading.authentic !== true ? { kind: 'refused', why: 'bad-proof' } : reading;
  },
};

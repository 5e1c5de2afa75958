/**
 * Which sizes of SIP are asked over UDP, and where one of them stays silent the same size in other bytes: what falls to both
 * is a matter of size, what falls to SIP alone is a matter of who reads it.
 */
import { judgeEmbedded, type Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { SameSize } from '../../model/study-facts.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { ESP_TAG_SPI_MASK } from '../../wire/carriers.js';
import { classifyNatT, ESP_HEADER_BYTES, encodeEspInUdp } from '../../wire/nat-t.js';
import { zeroed } from '../../wire/octets.js';
import { expectProof, makeTag } from '../../wire/proof.js';
import { askCheck } from '../ask/ask.js';
import { isSilent, passed, witnessedPackets } from '../observations.js';
import type { Tools } from '../tools.js';

/**
 * Bytes of SIP in one datagram. A phone's OPTIONS and REGISTER have 500 to 900, an INVITE 900 to 1,400. Up to 1300 it need
 * not use TCP (RFC 3261 §18.1.1), 1472 fill an Ethernet frame, beyond them it takes fragments; an INVITE with a long offer
 * and identity headers reaches 3000. Near enough to each other that a gap of the usual widths holds at least one.
 */
export const SIZES = [500, 700, 850, 1000, 1100, 1200, 1300, 1400, 1472, 1600, 2000, 2500, 3000] as const;
/** Over a connection: what fills most of one segment, and what takes several. */
export const STREAM_SIZES = [1300, 3000] as const;
/** Whether these bytes pass at all: smaller than any size that is in question. */
const SMALL = 200;

/** A tag in ESP's clothes, filled up to a size; the reflector answers with as many bytes. */
const sizedProbe = (bytes: number): Probe => ({
  kind: 'udp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const payload = zeroed(bytes - ESP_HEADER_BYTES);
    const tag = makeTag(asking);
    if (tag) payload.set(tag);
    const spi = (Buffer.from(asking.seed).readUInt32BE(0) | ESP_TAG_SPI_MASK) >>> 0;
    const message = encodeEspInUdp({ spi, sequence: asking.sequence >>> 0, payload });
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (received, arrival) => {
    const datagram = classifyNatT(received);
    if (!datagram.ok || datagram.value.kind !== 'esp') return { kind: 'refused', why: 'malformed' };
    const reading = judgeEmbedded(datagram.value.payload, arrival, {});
    return reading.kind === 'answer' && reading.authentic !== true ? { kind: 'refused', why: 'bad-proof' } : reading;
  },
});

/** Asks on the port of a check, in a small size and in those that stayed silent; nothing where none did. */
export const askSameSizes = async (
  check: Check,
  silent: readonly number[],
  tools: Tools,
): Promise<readonly SameSize[]> => {
  if (silent.length === 0) return [];
  return Promise.all(
    [SMALL, ...silent].map(async (bytes): Promise<SameSize> => {
      const options = { samples: 1, doubt: RANGE_PORT_DOUBT };
      const one: Check = { ...check, probe: 'udp-echo', natT: false };
      const observation = await askCheck(one, sizedProbe(bytes), options, tools);
      return {
        port: check.port,
        bytes,
        passes: passed(observation),
        silent: isSilent(observation) ? witnessedPackets(observation, tools) : 0,
      };
    }),
  );
};

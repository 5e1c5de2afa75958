/** Echoes a tag in ESP's clothes; keepalives are counted and never answered (RFC 3948 §2.3). */
import { ESP_TAG_SPI_MASK } from '../../wire/carriers.js';
import { classifyNatT, encodeEspInUdp } from '../../wire/nat-t.js';
import { zeroed } from '../../wire/octets.js';
import { answerTag, type Responder } from '../exchange.js';

export const isNatTKeepalive = (message: Uint8Array): boolean => {
  const datagram = classifyNatT(message);
  return datagram.ok && datagram.value.kind === 'keepalive';
};

export const answerNatT: Responder = (message, arrival, host) => {
  const datagram = classifyNatT(message);
  if (!datagram.ok || datagram.value.kind !== 'esp') return null;
  const { spi, sequence, payload } = datagram.value;
  if ((spi & ESP_TAG_SPI_MASK) >>> 0 !== ESP_TAG_SPI_MASK) return null;
  const tag = answerTag(payload, message, arrival, host);
  if (!tag) return null;
  // As long as the request, and never longer: large packets have to pass in both directions.
  const echoed = zeroed(Math.max(tag.bytes.length, payload.length));
  echoed.set(tag.bytes);
  return {
    bytes: encodeEspInUdp({ spi, sequence, payload: echoed }),
    proven: true,
    delivery: tag.delivery,
    consults: tag.consults,
    of: tag.of,
  };
};

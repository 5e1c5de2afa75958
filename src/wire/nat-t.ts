/**
 * What shares a NAT-T port (RFC 3948): IKE behind a marker of four zero octets, ESP behind its SPI, and keepalives of
 * one octet. Framing only; IKE itself is ike.ts's, and ESP stays opaque.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { zeroed } from './octets.js';

/** Stands where ESP has its SPI, which is never 0 (RFC 3948 §2.2). */
export const NON_ESP_MARKER: Uint8Array = new Uint8Array(4);
/** The whole payload of a keepalive (RFC 3948 §2.3). */
export const NAT_T_KEEPALIVE: Uint8Array = Uint8Array.of(0xff);
/** SPI and sequence number (RFC 4303 §2). */
export const ESP_HEADER_BYTES = 8;
/** 0 is for local use, and IANA holds 1–255 back (RFC 4303 §2.1). */
const MIN_ESP_SPI = 256;
/** What a UDP datagram can carry over IPv4: 65,535 less 20 of IP and 8 of UDP. */
const MAX_DATAGRAM_BYTES = 65_507;

interface Esp {
  /** 32 bits. */
  readonly spi: number;
  /** 32 bits; the first of an SA is 1 (RFC 4303 §3.3.3). */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

type NatTDatagram =
  | { readonly kind: 'keepalive' }
  /** `message` is the IKE message without the marker, not looked into. */
  | { readonly kind: 'ike'; readonly message: Uint8Array }
  | ({ readonly kind: 'esp' } & Esp);

const NAT_T_REFUSALS = [
  'truncated', // neither a keepalive, nor long enough for a marker or an ESP header
  'too-long', // more than a datagram can carry
] as const;
type NatTRefusal = (typeof NAT_T_REFUSALS)[number];

/**
 * Tells what a datagram on a NAT-T port is. Never throws. Results are views. An ESP SPI of 1–255 is passed on, because
 * what to think of it is the caller's business.
 */
export const classifyNatT = (input: Uint8Array): Parsed<NatTDatagram, NatTRefusal> => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.length > MAX_DATAGRAM_BYTES) return refuse('too-long');
  if (bytes.length === NAT_T_KEEPALIVE.length && bytes[0] === NAT_T_KEEPALIVE[0]) return accept({ kind: 'keepalive' });
  if (bytes.length < NON_ESP_MARKER.length) return refuse('truncated');
  const spi = bytes.readUInt32BE(0);
  if (spi === 0) return accept({ kind: 'ike', message: bytes.subarray(NON_ESP_MARKER.length) });
  if (bytes.length < ESP_HEADER_BYTES) return refuse('truncated');
  return accept({ kind: 'esp', spi, sequence: bytes.readUInt32BE(4), payload: bytes.subarray(ESP_HEADER_BYTES) });
};

/** An IKE message as it goes to a NAT-T port. */
export const withNonEspMarker = (message: Uint8Array): Uint8Array => Buffer.concat([NON_ESP_MARKER, message]);

/**
 * Writes ESP as it goes to a NAT-T port.
 * @throws RangeError for an SPI below 256, which no SA can have, and for numbers that do not fit 32 bits.
 */
export const encodeEspInUdp = ({ spi, sequence, payload }: Esp): Uint8Array => {
  if (!Number.isInteger(spi) || spi < MIN_ESP_SPI)
    throw new RangeError(`an ESP SPI is at least ${MIN_ESP_SPI}, not ${spi} (RFC 4303 §2.1)`);
  const length = ESP_HEADER_BYTES + payload.length;
  if (length > MAX_DATAGRAM_BYTES) throw new RangeError(`an ESP packet of ${length} octets fits no datagram`);
  const bytes = zeroed(length);
  bytes.writeUInt32BE(spi, 0);
  bytes.writeUInt32BE(sequence, 4);
  bytes.set(payload, ESP_HEADER_BYTES);
  return bytes;
};

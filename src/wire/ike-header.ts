/** The IKE header (RFC 7296 §3.1), which versions 1 and 2 share, and telling IKE from other datagrams by it. */
import { accept, type Parsed, refuse } from '../model/refusal.js';

export const IKE_SPI_BYTES = 8;
export const IKE_HEADER_BYTES = 28;
/** What a UDP datagram can carry over IPv4: 65,535 less 20 of IP and 8 of UDP. */
export const MAX_IKE_BYTES = 65_507;
/** The responder's SPI in a first request, and wherever no IKE SA comes of it (RFC 7296 §2.6). */
export const NO_SPI: Uint8Array = new Uint8Array(IKE_SPI_BYTES);

const FLAG_INITIATOR = 0x08;
const FLAG_HIGHER_VERSION = 0x10;
const FLAG_RESPONSE = 0x20;

export const IKE_HEADER_REFUSALS = [
  'truncated', // fewer bytes than a header, or than the header's length field says
  'too-long', // more than a datagram can carry
  'length', // the length field is below a header's size, or bytes follow the message
] as const;
export type IkeHeaderRefusal = (typeof IKE_HEADER_REFUSALS)[number];

export interface IkeHeader {
  /** 8 bytes; never all zero in a valid message. IKEv1 calls it the initiator cookie. */
  readonly spiI: Uint8Array;
  /** 8 bytes; zero in a first request. */
  readonly spiR: Uint8Array;
  /** The first payload's type. */
  readonly nextPayload: number;
  /** 1 or 2 in the field; 4 bits. */
  readonly major: number;
  readonly minor: number;
  readonly exchange: number;
  /** Sent by who initiated the IKE SA. The three flags are IKEv2's; in IKEv1 the bits mean other things. */
  readonly initiator: boolean;
  /** The sender speaks a higher major version, too. */
  readonly higherVersion: boolean;
  readonly response: boolean;
  /** 32 bits; 0 throughout IKE_SA_INIT. */
  readonly messageId: number;
  /** Of the whole message, in octets, this header included. */
  readonly length: number;
}

/**
 * Reads the header of a message that fills `input`, of any version, because who gets another version than it speaks
 * still has to tell whom to answer (RFC 7296 §2.5). Never throws. The SPIs are views.
 */
export const parseIkeHeader = (input: Uint8Array): Parsed<IkeHeader, IkeHeaderRefusal> => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.length > MAX_IKE_BYTES) return refuse('too-long');
  if (bytes.length < IKE_HEADER_BYTES) return refuse('truncated');
  const length = bytes.readUInt32BE(24);
  if (length > bytes.length) return refuse('truncated');
  if (length !== bytes.length) return refuse('length');
  const version = bytes.readUInt8(17);
  const flags = bytes.readUInt8(19);
  return accept({
    spiI: bytes.subarray(0, 8),
    spiR: bytes.subarray(8, 16),
    nextPayload: bytes.readUInt8(16),
    major: version >> 4,
    minor: version & 0x0f,
    exchange: bytes.readUInt8(18),
    initiator: (flags & FLAG_INITIATOR) !== 0,
    higherVersion: (flags & FLAG_HIGHER_VERSION) !== 0,
    response: (flags & FLAG_RESPONSE) !== 0,
    messageId: bytes.readUInt32BE(20),
    length,
  });
};

/**
 * Writes a header in front of payloads that are encoded already; the length field is theirs and the header's.
 * @throws RangeError when a field does not fit its place.
 */
export const encodeIkeHeader = (header: Omit<IkeHeader, 'length'>, payloads: Uint8Array): Uint8Array => {
  if (header.spiI.length !== IKE_SPI_BYTES || header.spiR.length !== IKE_SPI_BYTES)
    throw new RangeError(`an IKE SPI has ${IKE_SPI_BYTES} octets`);
  const length = IKE_HEADER_BYTES + payloads.length;
  if (length > MAX_IKE_BYTES) throw new RangeError(`an IKE message of ${length} octets fits no datagram`);
  if (header.major > 0x0f || header.minor > 0x0f) throw new RangeError('an IKE version number has four bits');
  const bytes = Buffer.alloc(length);
  bytes.set(header.spiI, 0);
  bytes.set(header.spiR, 8);
  bytes.writeUInt8(header.nextPayload, 16);
  bytes.writeUInt8((header.major << 4) | header.minor, 17);
  bytes.writeUInt8(header.exchange, 18);
  bytes.writeUInt8(
    (header.initiator ? FLAG_INITIATOR : 0) |
      (header.higherVersion ? FLAG_HIGHER_VERSION : 0) |
      (header.response ? FLAG_RESPONSE : 0),
    19,
  );
  bytes.writeUInt32BE(header.messageId, 20);
  bytes.writeUInt32BE(length, 24);
  bytes.set(payloads, IKE_HEADER_BYTES);
  return bytes;
};

export const isZero = (bytes: Uint8Array): boolean => bytes.every((octet) => octet === 0);

/**
 * Exchange types in use. Version 1: 1–5 (RFC 2408 §3.1), 6 for Mode Config as deployed, 32 Quick and 33 New Group Mode
 * (RFC 2409 appendix A). Version 2: 34–37 (RFC 7296 §3.1), 38 session resumption, 39–42 groups, 43 IKE_INTERMEDIATE,
 * 44 IKE_FOLLOWUP_KE (IANA).
 */
const isKnownExchange = (major: number, exchange: number): boolean => {
  if (major === 1) return (exchange >= 1 && exchange <= 6) || exchange === 32 || exchange === 33;
  return major === 2 && exchange >= 34 && exchange <= 44;
};

/**
 * Strict test for demultiplexing, because IKE has no magic number: the length field is the datagram's, the version is 1
 * or 2, the exchange type is one of that version's, and the initiator has an SPI. On a NAT-T port strip the non-ESP
 * marker first (nat-t.ts).
 */
export const looksLikeIke = (bytes: Uint8Array): boolean => {
  const header = parseIkeHeader(bytes);
  if (!header.ok) return false;
  const { major, exchange, spiI } = header.value;
  return isKnownExchange(major, exchange) && !isZero(spiI);
};

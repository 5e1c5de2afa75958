/** RTP data packets (RFC 3550 §5.1): what media streams and echo probes carry. Bytes ⇄ packets, nothing else. */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { zeroed } from './octets.js';

/** RFC 3550 §5.1: the two top bits of every RTP and RTCP packet. */
export const RTP_VERSION = 2;
/** Everything before the CSRC list (RFC 3550 §5.1). */
export const RTP_HEADER_BYTES = 12;
/** The CC field has four bits. */
const MAX_CSRCS = 15;
/** The padding count is one octet, and counts itself (RFC 3550 §5.1). */
const MAX_RTP_PADDING = 255;
/** What a UDP datagram can carry over IPv4: 65,535 less 20 of IP and 8 of UDP. */
const MAX_DATAGRAM_BYTES = 65_507;

/** Profile identifier and length in words, in front of the extension's data (RFC 3550 §5.3.1). */
const EXTENSION_HEADER_BYTES = 4;
const WORD_BYTES = 4;
const PADDING_BIT = 0x20;
const EXTENSION_BIT = 0x10;
const MARKER_BIT = 0x80;

export const RTP_REFUSALS = [
  'truncated', // ends inside the header, the CSRC list or the extension
  'too-long', // more than a datagram can carry
  'version', // another version than 2
  'padding', // the padding count is 0 or reaches into the header
] as const;
type RtpRefusal = (typeof RTP_REFUSALS)[number];

/** The one header extension that a packet may have (RFC 3550 §5.3.1). */
interface RtpExtension {
  /** 16 bits, defined by the profile; 0xBEDE for RFC 8285's one-byte form. */
  readonly profile: number;
  /** Whole 32-bit words. */
  readonly data: Uint8Array;
}

export interface RtpPacket {
  readonly marker: boolean;
  /** 0–127. */
  readonly payloadType: number;
  /** 0–65535. */
  readonly sequence: number;
  /** 32 bits, in units of the payload format's clock. */
  readonly timestamp: number;
  /** 32 bits. */
  readonly ssrc: number;
  /** At most 15. */
  readonly csrcs: readonly number[];
  readonly extension: RtpExtension | null;
  /** Without padding. As read: a view into the datagram. */
  readonly payload: Uint8Array;
  /** Octets of padding at the end, with the count octet; 0 means that the P bit is clear. */
  readonly padding: number;
}

/**
 * Is the first octet RTP's or RTCP's? RFC 7983 §7 gives 128–191 to both, which is version 2 in the top bits, so that
 * STUN (0–3), ZRTP (16–19), DTLS (20–63) and TURN channels (64–79) can share the port.
 */
export const isRtpFirstOctet = (octet: number | undefined): boolean =>
  octet !== undefined && octet >> 6 === RTP_VERSION;

/**
 * Is the second octet an RTCP packet type? RFC 5761 §4 reserves 192–223 of it for RTCP on a shared port, which costs
 * RTP the payload types 64–95.
 */
export const isRtcpSecondOctet = (octet: number | undefined): boolean =>
  octet !== undefined && octet >= 192 && octet <= 223;

/** Cheap test for demultiplexing (RFC 5761 §4, RFC 7983 §7): could this datagram be RTP, and not RTCP? */
export const looksLikeRtp = (bytes: Uint8Array): boolean =>
  bytes.length >= RTP_HEADER_BYTES && isRtpFirstOctet(bytes[0]) && !isRtcpSecondOctet(bytes[1]);

/**
 * Reads one RTP packet that fills `input`. Never throws. `payload` and the extension's data are views, not copies.
 * Padding octets other than the count are ignored, as RFC 3550 §5.1 wants.
 */
export const parseRtp = (input: Uint8Array): Parsed<RtpPacket, RtpRefusal> => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.length > MAX_DATAGRAM_BYTES) return refuse('too-long');
  if (bytes.length < RTP_HEADER_BYTES) return refuse('truncated');
  const flags = bytes.readUInt8(0);
  if (flags >> 6 !== RTP_VERSION) return refuse('version');

  const csrcsEnd = RTP_HEADER_BYTES + (flags & 0x0f) * WORD_BYTES;
  if (csrcsEnd > bytes.length) return refuse('truncated');
  const csrcs: number[] = [];
  for (let at = RTP_HEADER_BYTES; at < csrcsEnd; at += WORD_BYTES) csrcs.push(bytes.readUInt32BE(at));

  let extension: RtpExtension | null = null;
  let payloadStart = csrcsEnd;
  if (flags & EXTENSION_BIT) {
    const dataStart = csrcsEnd + EXTENSION_HEADER_BYTES;
    if (dataStart > bytes.length) return refuse('truncated');
    payloadStart = dataStart + bytes.readUInt16BE(csrcsEnd + 2) * WORD_BYTES;
    if (payloadStart > bytes.length) return refuse('truncated');
    extension = { profile: bytes.readUInt16BE(csrcsEnd), data: bytes.subarray(dataStart, payloadStart) };
  }

  let padding = 0;
  if (flags & PADDING_BIT) {
    padding = bytes.readUInt8(bytes.length - 1);
    if (padding === 0 || padding > bytes.length - payloadStart) return refuse('padding');
  }

  const second = bytes.readUInt8(1);
  return accept({
    marker: (second & MARKER_BIT) !== 0,
    payloadType: second & 0x7f,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    csrcs,
    extension,
    payload: bytes.subarray(payloadStart, bytes.length - padding),
    padding,
  });
};

/**
 * Writes one RTP packet. Padding octets are zero but for the count.
 * @throws RangeError when a field does not fit its place: the caller's mistake, never the network's.
 */
export const encodeRtp = (packet: RtpPacket): Uint8Array => {
  const { csrcs, extension, payload, padding } = packet;
  if (csrcs.length > MAX_CSRCS) throw new RangeError(`RTP has room for ${MAX_CSRCS} CSRCs, not ${csrcs.length}`);
  if (!Number.isInteger(packet.payloadType) || packet.payloadType < 0 || packet.payloadType > 0x7f)
    throw new RangeError(`an RTP payload type is 0–127, not ${packet.payloadType}`);
  if (!Number.isInteger(padding) || padding < 0 || padding > MAX_RTP_PADDING)
    throw new RangeError(`RTP padding is 0–${MAX_RTP_PADDING} octets, not ${padding}`);
  if (extension && extension.data.length % WORD_BYTES !== 0)
    throw new RangeError(`an RTP extension is whole 32-bit words, not ${extension.data.length} octets`);

  const csrcsEnd = RTP_HEADER_BYTES + csrcs.length * WORD_BYTES;
  const payloadStart = csrcsEnd + (extension ? EXTENSION_HEADER_BYTES + extension.data.length : 0);
  const length = payloadStart + payload.length + padding;
  if (length > MAX_DATAGRAM_BYTES) throw new RangeError(`an RTP packet of ${length} octets fits no datagram`);

  const bytes = zeroed(length);
  bytes.writeUInt8(
    (RTP_VERSION << 6) | (padding ? PADDING_BIT : 0) | (extension ? EXTENSION_BIT : 0) | csrcs.length,
    0,
  );
  bytes.writeUInt8((packet.marker ? MARKER_BIT : 0) | packet.payloadType, 1);
  bytes.writeUInt16BE(packet.sequence, 2);
  bytes.writeUInt32BE(packet.timestamp, 4);
  bytes.writeUInt32BE(packet.ssrc, 8);
  csrcs.forEach((csrc, index) => {
    bytes.writeUInt32BE(csrc, RTP_HEADER_BYTES + index * WORD_BYTES);
  });
  if (extension) {
    bytes.writeUInt16BE(extension.profile, csrcsEnd);
    bytes.writeUInt16BE(extension.data.length / WORD_BYTES, csrcsEnd + 2);
    bytes.set(extension.data, csrcsEnd + EXTENSION_HEADER_BYTES);
  }
  bytes.set(payload, payloadStart);
  if (padding) bytes.writeUInt8(padding, length - 1);
  return bytes;
};

/** Reads RTCP compound packets with the validity checks of RFC 3550 §A.2. */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import {
  MAX_RTCP_BYTES,
  MAX_RTCP_PACKETS,
  MAX_SDES_ITEMS,
  MIN_RTCP_BYTES,
  type ReportBlock,
  RTCP_PADDING_BIT,
  RTCP_TYPES,
  type RtcpCompound,
  type RtcpPacket,
  type RtcpRefusal,
  type SdesChunk,
  type SdesItem,
  RTCP_SIZES as SIZES,
} from './rtcp-packet.js';
import { RTCP_XR_TYPE, readExtendedReport } from './rtcp-xr.js';
import { RTP_VERSION } from './rtp.js';

const readBlocks = (body: Buffer, start: number, count: number): ReportBlock[] =>
  Array.from({ length: count }, (_, index) => {
    const at = start + index * SIZES.reportBlock;
    return {
      ssrc: body.readUInt32BE(at),
      fractionLost: body.readUInt8(at + 4),
      cumulativeLost: body.readIntBE(at + 5, 3),
      highestSequence: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lastSr: body.readUInt32BE(at + 16),
      delaySinceLastSr: body.readUInt32BE(at + 20),
    };
  });

const readReport = (body: Buffer, count: number, fromSender: boolean): Parsed<RtcpPacket, RtcpRefusal> => {
  const blocksStart = SIZES.ssrc + (fromSender ? SIZES.senderInfo : 0);
  const blocksEnd = blocksStart + count * SIZES.reportBlock;
  if (blocksEnd > body.length) return refuse('report');
  const ssrc = body.readUInt32BE(0);
  const reports = readBlocks(body, blocksStart, count);
  const extension = body.subarray(blocksEnd);
  if (!fromSender) return accept({ kind: 'receiver-report', ssrc, reports, extension });
  return accept({
    kind: 'sender-report',
    ssrc,
    ntpTimestamp: body.readBigUInt64BE(4),
    rtpTimestamp: body.readUInt32BE(12),
    packetCount: body.readUInt32BE(16),
    octetCount: body.readUInt32BE(20),
    reports,
    extension,
  });
};

const readSdes = (body: Buffer, count: number): Parsed<RtcpPacket, RtcpRefusal> => {
  const chunks: SdesChunk[] = [];
  let at = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    if (at + SIZES.ssrc > body.length) return refuse('sdes');
    const ssrc = body.readUInt32BE(at);
    at += SIZES.ssrc;
    const items: SdesItem[] = [];
    for (;;) {
      const type = body[at];
      if (type === undefined) return refuse('sdes');
      if (type === 0) break;
      if (items.length === MAX_SDES_ITEMS) return refuse('too-many-items');
      const length = body[at + 1];
      if (length === undefined || at + 2 + length > body.length) return refuse('sdes');
      items.push({ type, value: body.subarray(at + 2, at + 2 + length) });
      at += 2 + length;
    }
    // The null octet that ends the list is followed by more of them up to the next word (RFC 3550 §6.5).
    at += SIZES.word - (at % SIZES.word);
    chunks.push({ ssrc, items });
  }
  return at === body.length ? accept({ kind: 'source-description', chunks }) : refuse('sdes');
};

const readBye = (body: Buffer, count: number): Parsed<RtcpPacket, RtcpRefusal> => {
  const sourcesEnd = count * SIZES.ssrc;
  if (sourcesEnd > body.length) return refuse('bye');
  const ssrcs = Array.from({ length: count }, (_, index) => body.readUInt32BE(index * SIZES.ssrc));
  const length = body[sourcesEnd];
  if (length === undefined) return accept({ kind: 'bye', ssrcs, reason: null });
  const reasonStart = sourcesEnd + 1;
  if (reasonStart + length > body.length) return refuse('bye');
  return accept({ kind: 'bye', ssrcs, reason: body.subarray(reasonStart, reasonStart + length) });
};

const readApp = (body: Buffer, subtype: number): Parsed<RtcpPacket, RtcpRefusal> => {
  const dataStart = SIZES.ssrc + SIZES.appName;
  if (body.length < dataStart) return refuse('app');
  return accept({
    kind: 'app',
    subtype,
    ssrc: body.readUInt32BE(0),
    name: body.toString('latin1', SIZES.ssrc, dataStart),
    data: body.subarray(dataStart),
  });
};

const readPacket = (packetType: number, count: number, body: Buffer): Parsed<RtcpPacket, RtcpRefusal> => {
  switch (packetType) {
    case RTCP_TYPES.senderReport:
      return readReport(body, count, true);
    case RTCP_TYPES.receiverReport:
      return readReport(body, count, false);
    case RTCP_TYPES.sourceDescription:
      return readSdes(body, count);
    case RTCP_TYPES.bye:
      return readBye(body, count);
    case RTCP_TYPES.app:
      return readApp(body, count);
    case RTCP_XR_TYPE:
      return readExtendedReport(body);
    default:
      return accept({ kind: 'unknown', packetType, count, body });
  }
};

/**
 * Reads a compound packet that fills `input`, with the validity checks of RFC 3550 §A.2: version 2 throughout, SR or
 * RR first, padding on the last packet only, lengths that add up. Never throws. Byte fields are views, not copies.
 * Reduced-size RTCP (RFC 5506) is refused as `first-type`.
 */
export const parseRtcp = (input: Uint8Array): Parsed<RtcpCompound, RtcpRefusal> => {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.length > MAX_RTCP_BYTES) return refuse('too-long');
  if (bytes.length < MIN_RTCP_BYTES) return refuse('truncated');
  const packets: RtcpPacket[] = [];
  let padding = 0;
  for (let at = 0; at < bytes.length; ) {
    if (packets.length === MAX_RTCP_PACKETS) return refuse('too-many-packets');
    if (at + SIZES.header > bytes.length) return refuse('length');
    const flags = bytes.readUInt8(at);
    if (flags >> 6 !== RTP_VERSION) return refuse('version');
    const packetType = bytes.readUInt8(at + 1);
    const isFirst = at === 0;
    if (isFirst && packetType !== RTCP_TYPES.senderReport && packetType !== RTCP_TYPES.receiverReport)
      return refuse('first-type');
    const bodyStart = at + SIZES.header;
    const end = bodyStart + bytes.readUInt16BE(at + 2) * SIZES.word;
    if (end > bytes.length) return refuse('length');
    if (flags & RTCP_PADDING_BIT) {
      if (isFirst || end !== bytes.length || end === bodyStart) return refuse('padding');
      padding = bytes.readUInt8(end - 1);
      if (padding === 0 || padding % SIZES.word !== 0 || padding > end - bodyStart) return refuse('padding');
    }
    const packet = readPacket(packetType, flags & 0x1f, bytes.subarray(bodyStart, end - padding));
    if (!packet.ok) return packet;
    packets.push(packet.value);
    at = end;
  }
  return accept({ packets, padding });
};

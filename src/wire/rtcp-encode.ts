/** Writes RTCP compound packets (RFC 3550 §6); whatever is written here, rtcp-parse.ts reads. */
import { zeroed } from './octets.js';
import {
  type App,
  type Bye,
  MAX_RTCP_BYTES,
  MAX_RTCP_COUNT,
  MAX_RTCP_PACKETS,
  MAX_RTCP_PADDING,
  MAX_RTCP_TEXT_BYTES,
  MAX_SDES_ITEMS,
  type ReceiverReport,
  RTCP_PADDING_BIT,
  RTCP_TYPES,
  type RtcpCompound,
  type RtcpPacket,
  type SdesChunk,
  type SenderReport,
  RTCP_SIZES as SIZES,
} from './rtcp-packet.js';
import { RTCP_XR_TYPE, writeExtendedReport } from './rtcp-xr.js';
import { RTP_VERSION } from './rtp.js';

const atMost = (what: string, count: number, limit: number): void => {
  if (count > limit) throw new RangeError(`${what}: room for ${limit}, not ${count}`);
};

const wholeWords = (what: string, length: number): void => {
  if (length % SIZES.word !== 0) throw new RangeError(`${what} is whole 32-bit words, not ${length} octets`);
};

const roundUpToWord = (length: number): number => Math.ceil(length / SIZES.word) * SIZES.word;

const writeReport = (report: SenderReport | ReceiverReport): Buffer => {
  atMost('RTCP report blocks', report.reports.length, MAX_RTCP_COUNT);
  wholeWords('an RTCP report extension', report.extension.length);
  const blocksStart = SIZES.ssrc + (report.kind === 'sender-report' ? SIZES.senderInfo : 0);
  const blocksEnd = blocksStart + report.reports.length * SIZES.reportBlock;
  const body = zeroed(blocksEnd + report.extension.length);
  body.writeUInt32BE(report.ssrc, 0);
  if (report.kind === 'sender-report') {
    body.writeBigUInt64BE(report.ntpTimestamp, 4);
    body.writeUInt32BE(report.rtpTimestamp, 12);
    body.writeUInt32BE(report.packetCount, 16);
    body.writeUInt32BE(report.octetCount, 20);
  }
  report.reports.forEach((block, index) => {
    const at = blocksStart + index * SIZES.reportBlock;
    body.writeUInt32BE(block.ssrc, at);
    body.writeUInt8(block.fractionLost, at + 4);
    body.writeIntBE(block.cumulativeLost, at + 5, 3);
    body.writeUInt32BE(block.highestSequence, at + 8);
    body.writeUInt32BE(block.jitter, at + 12);
    body.writeUInt32BE(block.lastSr, at + 16);
    body.writeUInt32BE(block.delaySinceLastSr, at + 20);
  });
  body.set(report.extension, blocksEnd);
  return body;
};

const writeChunk = (chunk: SdesChunk): Buffer => {
  atMost('SDES items', chunk.items.length, MAX_SDES_ITEMS);
  const itemBytes = chunk.items.reduce((sum, item) => sum + 2 + item.value.length, 0);
  const bytes = zeroed(roundUpToWord(SIZES.ssrc + itemBytes + 1));
  bytes.writeUInt32BE(chunk.ssrc, 0);
  let at = SIZES.ssrc;
  for (const item of chunk.items) {
    if (item.type === 0) throw new RangeError('SDES item type 0 ends the list and is no item');
    atMost('octets of an SDES item', item.value.length, MAX_RTCP_TEXT_BYTES);
    bytes.writeUInt8(item.type, at);
    bytes.writeUInt8(item.value.length, at + 1);
    bytes.set(item.value, at + 2);
    at += 2 + item.value.length;
  }
  return bytes;
};

const writeBye = (bye: Bye): Buffer => {
  const sourcesEnd = bye.ssrcs.length * SIZES.ssrc;
  const reason = bye.reason;
  if (reason) atMost('octets of a BYE reason', reason.length, MAX_RTCP_TEXT_BYTES);
  const body = zeroed(sourcesEnd + (reason ? roundUpToWord(1 + reason.length) : 0));
  bye.ssrcs.forEach((ssrc, index) => {
    body.writeUInt32BE(ssrc, index * SIZES.ssrc);
  });
  if (reason) {
    body.writeUInt8(reason.length, sourcesEnd);
    body.set(reason, sourcesEnd + 1);
  }
  return body;
};

const writeApp = (app: App): Buffer => {
  const name = Buffer.from(app.name, 'latin1');
  if (name.length !== SIZES.appName || name.toString('latin1') !== app.name)
    throw new RangeError(`an RTCP APP name is four ASCII characters, not "${app.name}"`);
  wholeWords('RTCP APP data', app.data.length);
  const head = zeroed(SIZES.ssrc);
  head.writeUInt32BE(app.ssrc, 0);
  return Buffer.concat([head, name, app.data]);
};

interface WrittenPacket {
  readonly packetType: number;
  readonly count: number;
  readonly body: Uint8Array;
}

const writePacket = (packet: RtcpPacket): WrittenPacket => {
  switch (packet.kind) {
    case 'sender-report':
      return { packetType: RTCP_TYPES.senderReport, count: packet.reports.length, body: writeReport(packet) };
    case 'receiver-report':
      return { packetType: RTCP_TYPES.receiverReport, count: packet.reports.length, body: writeReport(packet) };
    case 'source-description':
      return {
        packetType: RTCP_TYPES.sourceDescription,
        count: packet.chunks.length,
        body: Buffer.concat(packet.chunks.map(writeChunk)),
      };
    case 'bye':
      return { packetType: RTCP_TYPES.bye, count: packet.ssrcs.length, body: writeBye(packet) };
    case 'app':
      return { packetType: RTCP_TYPES.app, count: packet.subtype, body: writeApp(packet) };
    case 'extended-report':
      return { packetType: RTCP_XR_TYPE, count: 0, body: writeExtendedReport(packet) };
    case 'unknown':
      if (packet.packetType === RTCP_XR_TYPE) throw new RangeError('an extended report is written from its blocks');
      wholeWords('an RTCP packet', packet.body.length);
      return packet;
  }
};

/**
 * Writes a compound packet. Only what `parseRtcp` accepts can be written.
 * @throws RangeError when it does not start with a report, when a field does not fit its place, or when padding is not
 * a multiple of 4 up to 252 or would fall on the first packet: the caller's mistakes, never the network's.
 */
export const encodeRtcp = ({ packets, padding }: RtcpCompound): Uint8Array => {
  const first = packets[0];
  if (first?.kind !== 'sender-report' && first?.kind !== 'receiver-report')
    throw new RangeError('an RTCP compound packet starts with a report (RFC 3550 §6.1)');
  atMost('packets of an RTCP compound', packets.length, MAX_RTCP_PACKETS);
  wholeWords('RTCP padding', padding);
  if (padding < 0 || padding > MAX_RTCP_PADDING || (padding > 0 && packets.length === 1))
    throw new RangeError(`RTCP padding is 0–${MAX_RTCP_PADDING} octets behind a later packet than the first`);

  const parts: Uint8Array[] = [];
  packets.forEach((packet, index) => {
    const { packetType, count, body } = writePacket(packet);
    atMost('count or subtype of an RTCP packet', count, MAX_RTCP_COUNT);
    const paddingHere = index === packets.length - 1 ? padding : 0;
    const header = zeroed(SIZES.header);
    header.writeUInt8((RTP_VERSION << 6) | (paddingHere ? RTCP_PADDING_BIT : 0) | count, 0);
    header.writeUInt8(packetType, 1);
    header.writeUInt16BE((body.length + paddingHere) / SIZES.word, 2);
    parts.push(header, body);
  });
  if (padding) {
    const pad = zeroed(padding);
    pad.writeUInt8(padding, padding - 1);
    parts.push(pad);
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length > MAX_RTCP_BYTES)
    throw new RangeError(`an RTCP compound of ${bytes.length} octets fits no datagram`);
  return bytes;
};

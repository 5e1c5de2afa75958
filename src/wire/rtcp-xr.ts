/**
 * RTCP extended reports (RFC 3611): what phones say of the calls that they hear. The VoIP metrics block is read field by field, every
 * other block is kept as it came.
 */
import { accept, type Parsed, refuse } from '../model/refusal.js';
import { zeroed } from './octets.js';

/** Packet type (RFC 3611 §2). */
export const RTCP_XR_TYPE = 207;

const WORD = 4;
/** Block type, what the type makes of the second octet, and the length in words less one (§3). */
const BLOCK_HEADER = 4;
const VOIP_METRICS_TYPE = 7;
/** Eight words behind the header (§4.7). */
const VOIP_METRICS_BYTES = 32;
/** There are seven types in RFC 3611, and some of them once for each source; what a hostile report can cost is bounded. */
export const MAX_XR_BLOCKS = 64;
/** The length field counts words in 16 bits. */
const MAX_BLOCK_BYTES = 0xffff * WORD;

/** Levels, echo, R and MOS of which the sender knows nothing (§4.7.4, §4.7.5). */
export const XR_UNAVAILABLE = 127;

/** How one source's stream was heard (RFC 3611 §4.7). Fields that the sender does not know hold `XR_UNAVAILABLE` where the RFC says so. */
export interface VoipMetrics {
  readonly kind: 'voip-metrics';
  readonly ssrc: number;
  /** Lost, and discarded by the jitter buffer, since the beginning; 256ths. */
  readonly lossRate: number;
  readonly discardRate: number;
  /** Lost or discarded within bursts, and between them; 256ths. */
  readonly burstDensity: number;
  readonly gapDensity: number;
  /** Mean length of bursts and gaps, and delays, in milliseconds. */
  readonly burstDuration: number;
  readonly gapDuration: number;
  readonly roundTripDelay: number;
  readonly endSystemDelay: number;
  /** dBm0, signed. */
  readonly signalLevel: number;
  readonly noiseLevel: number;
  /** Residual echo return loss, in dB. */
  readonly echoReturnLoss: number;
  /** So many packets in a row must arrive to end a burst. */
  readonly gMin: number;
  /** 0–100. */
  readonly rFactor: number;
  readonly externalRFactor: number;
  /** Tenths: 10–50. */
  readonly mosListening: number;
  readonly mosConversational: number;
  /** Concealment (two bits), kind of jitter buffer (two), its rate of adjustment (four); §4.7.6. */
  readonly receiverConfiguration: number;
  /** Delays of the jitter buffer, in milliseconds. */
  readonly bufferNominal: number;
  readonly bufferMaximum: number;
  readonly bufferAbsoluteMaximum: number;
}

interface UnknownXrBlock {
  readonly kind: 'unknown';
  /** 0–255. */
  readonly blockType: number;
  /** The octet behind it. */
  readonly typeSpecific: number;
  /** Whole 32-bit words. */
  readonly body: Uint8Array;
}

export type XrBlock = VoipMetrics | UnknownXrBlock;

export interface ExtendedReport {
  readonly kind: 'extended-report';
  readonly ssrc: number;
  readonly blocks: readonly XrBlock[];
}

/** `xr`: a block runs past its packet, or is of another length than its type has. */
type XrRefusal = 'xr' | 'too-many-blocks';

const readVoipMetrics = (body: Buffer): VoipMetrics => ({
  kind: 'voip-metrics',
  ssrc: body.readUInt32BE(0),
  lossRate: body.readUInt8(4),
  discardRate: body.readUInt8(5),
  burstDensity: body.readUInt8(6),
  gapDensity: body.readUInt8(7),
  burstDuration: body.readUInt16BE(8),
  gapDuration: body.readUInt16BE(10),
  roundTripDelay: body.readUInt16BE(12),
  endSystemDelay: body.readUInt16BE(14),
  signalLevel: body.readInt8(16),
  noiseLevel: body.readInt8(17),
  echoReturnLoss: body.readUInt8(18),
  gMin: body.readUInt8(19),
  rFactor: body.readUInt8(20),
  externalRFactor: body.readUInt8(21),
  mosListening: body.readUInt8(22),
  mosConversational: body.readUInt8(23),
  receiverConfiguration: body.readUInt8(24),
  bufferNominal: body.readUInt16BE(26),
  bufferMaximum: body.readUInt16BE(28),
  bufferAbsoluteMaximum: body.readUInt16BE(30),
});

/** Reads what follows the RTCP header. Never throws. Bodies are views, not copies. */
export const readExtendedReport = (body: Buffer): Parsed<ExtendedReport, XrRefusal> => {
  if (body.length < WORD) return refuse('xr');
  const blocks: XrBlock[] = [];
  for (let at = WORD; at < body.length; ) {
    if (blocks.length === MAX_XR_BLOCKS) return refuse('too-many-blocks');
    if (at + BLOCK_HEADER > body.length) return refuse('xr');
    const [blockType, typeSpecific] = [body.readUInt8(at), body.readUInt8(at + 1)];
    const start = at + BLOCK_HEADER;
    const end = start + body.readUInt16BE(at + 2) * WORD;
    if (end > body.length) return refuse('xr');
    const own = body.subarray(start, end);
    if (blockType === VOIP_METRICS_TYPE && own.length !== VOIP_METRICS_BYTES) return refuse('xr');
    blocks.push(
      blockType === VOIP_METRICS_TYPE ? readVoipMetrics(own) : { kind: 'unknown', blockType, typeSpecific, body: own },
    );
    at = end;
  }
  return accept({ kind: 'extended-report', ssrc: body.readUInt32BE(0), blocks });
};

const writeVoipMetrics = (block: VoipMetrics): Buffer => {
  const body = zeroed(VOIP_METRICS_BYTES);
  body.writeUInt32BE(block.ssrc, 0);
  body.writeUInt8(block.lossRate, 4);
  body.writeUInt8(block.discardRate, 5);
  body.writeUInt8(block.burstDensity, 6);
  body.writeUInt8(block.gapDensity, 7);
  body.writeUInt16BE(block.burstDuration, 8);
  body.writeUInt16BE(block.gapDuration, 10);
  body.writeUInt16BE(block.roundTripDelay, 12);
  body.writeUInt16BE(block.endSystemDelay, 14);
  body.writeInt8(block.signalLevel, 16);
  body.writeInt8(block.noiseLevel, 17);
  body.writeUInt8(block.echoReturnLoss, 18);
  body.writeUInt8(block.gMin, 19);
  body.writeUInt8(block.rFactor, 20);
  body.writeUInt8(block.externalRFactor, 21);
  body.writeUInt8(block.mosListening, 22);
  body.writeUInt8(block.mosConversational, 23);
  body.writeUInt8(block.receiverConfiguration, 24);
  body.writeUInt16BE(block.bufferNominal, 26);
  body.writeUInt16BE(block.bufferMaximum, 28);
  body.writeUInt16BE(block.bufferAbsoluteMaximum, 30);
  return body;
};

const writeBlock = (block: XrBlock): Buffer => {
  const isVoip = block.kind === 'voip-metrics';
  const body = isVoip ? writeVoipMetrics(block) : block.body;
  if (body.length % WORD !== 0 || body.length > MAX_BLOCK_BYTES)
    throw new RangeError(`an XR block is whole 32-bit words, not ${body.length} octets`);
  if (!isVoip && block.blockType === VOIP_METRICS_TYPE)
    throw new RangeError('an XR block of type 7 is written from its metrics');
  const header = zeroed(BLOCK_HEADER);
  header.writeUInt8(isVoip ? VOIP_METRICS_TYPE : block.blockType, 0);
  header.writeUInt8(isVoip ? 0 : block.typeSpecific, 1);
  header.writeUInt16BE(body.length / WORD, 2);
  return Buffer.concat([header, body]);
};

/** Writes what follows the RTCP header. @throws RangeError when a field does not fit its place */
export const writeExtendedReport = ({ ssrc, blocks }: ExtendedReport): Buffer => {
  if (blocks.length > MAX_XR_BLOCKS) throw new RangeError(`XR blocks: room for ${MAX_XR_BLOCKS}, not ${blocks.length}`);
  const head = zeroed(WORD);
  head.writeUInt32BE(ssrc, 0);
  return Buffer.concat([head, ...blocks.map(writeBlock)]);
};

/** The RTCP codec (RFC 3550 §6): what probes and the reflector use. */
export { encodeRtcp } from './rtcp-encode.js';
export {
  type App,
  type Bye,
  cnameDescription,
  cnameOf,
  looksLikeRtcp,
  MAX_RTCP_BYTES,
  MAX_RTCP_COUNT,
  MAX_RTCP_PACKETS,
  MAX_RTCP_PADDING,
  MAX_RTCP_TEXT_BYTES,
  MAX_SDES_ITEMS,
  MIN_RTCP_BYTES,
  type ReceiverReport,
  type ReportBlock,
  RTCP_REFUSALS,
  RTCP_TYPES,
  type RtcpCompound,
  type RtcpPacket,
  type RtcpRefusal,
  SDES_ITEMS,
  type SdesChunk,
  type SdesItem,
  type SenderReport,
  type SourceDescription,
  type UnknownRtcp,
} from './rtcp-packet.js';
export { parseRtcp } from './rtcp-parse.js';
export { type ExtendedReport, MAX_XR_BLOCKS, type VoipMetrics, XR_UNAVAILABLE, type XrBlock } from './rtcp-xr.js';

/**
 * RTCP compound packets (RFC 3550 §6), the control half of a media stream: the vocabulary and its limits. The bytes
 * are read by rtcp-parse.ts and written by rtcp-encode.ts.
 */
import type { ExtendedReport } from './rtcp-xr.js';
import { isRtcpSecondOctet, isRtpFirstOctet } from './rtp.js';

/** Packet types of RFC 3550 §12.1. */
export const RTCP_TYPES = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  bye: 203,
  app: 204,
} as const;

/** SDES item types of RFC 3550 §12.2. */
export const SDES_ITEMS = { cname: 1, name: 2, email: 3, phone: 4, loc: 5, tool: 6, note: 7, priv: 8 } as const;

/** Sizes of RFC 3550 §6, in octets. */
export const RTCP_SIZES = {
  /** Flags, type, length in words. */
  header: 4,
  word: 4,
  ssrc: 4,
  reportBlock: 24,
  /** NTP timestamp, RTP timestamp, packet count, octet count (§6.4.1). */
  senderInfo: 20,
  appName: 4,
} as const;
/** The P bit of each packet's first octet. */
export const RTCP_PADDING_BIT = 0x20;

/** The shortest compound packet is a receiver report without blocks: a header and an SSRC. */
export const MIN_RTCP_BYTES = 8;
/** The count field has five bits: report blocks, SDES chunks, BYE sources, and APP's subtype. */
export const MAX_RTCP_COUNT = 31;
/** Length octets of SDES items and of BYE's reason. */
export const MAX_RTCP_TEXT_BYTES = 255;
/** Real compounds hold two to five packets; 32 leaves room for a mixer's and bounds what a hostile one can cost. */
export const MAX_RTCP_PACKETS = 32;
/** There are eight item types, of which PRIV may repeat (RFC 3550 §6.5). */
export const MAX_SDES_ITEMS = 32;
/** One octet, in whole words. */
export const MAX_RTCP_PADDING = 252;
/** The length field counts words less one in 16 bits; a datagram is the tighter bound (65,507 in whole words). */
export const MAX_RTCP_BYTES = 65_504;

export const RTCP_REFUSALS = [
  'truncated', // shorter than the shortest compound packet
  'too-long', // more than a datagram can carry
  'version', // a packet of the compound has another version than 2
  'first-type', // does not start with SR or RR (RFC 3550 §6.1)
  'padding', // on another packet than the last, on the first, or of a size that cannot be
  'length', // the packets' lengths do not add up to the datagram's
  'too-many-packets',
  'report', // SR or RR too short for its block count
  'sdes', // a chunk or an item runs past its packet, or a list has no end
  'too-many-items',
  'bye', // too short for its source count or its reason
  'app', // too short for SSRC and name
  'xr', // a block of an extended report runs past its packet, or has another length than its type
  'too-many-blocks',
] as const;
export type RtcpRefusal = (typeof RTCP_REFUSALS)[number];

/** Reception quality of one source (RFC 3550 §6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** 0–255, in 256ths, since the last report. */
  readonly fractionLost: number;
  /** Signed 24 bits: duplicates make it negative. */
  readonly cumulativeLost: number;
  /** Cycles in the upper 16 bits, the sequence number in the lower. */
  readonly highestSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
  /** The middle 32 bits of the last SR's NTP timestamp; 0 if none came. */
  readonly lastSr: number;
  /** In 65,536ths of a second; 0 if no SR came. */
  readonly delaySinceLastSr: number;
}

export interface SenderReport {
  readonly kind: 'sender-report';
  readonly ssrc: number;
  /** 32.32 fixed point seconds since 1900 (RFC 3550 §4). */
  readonly ntpTimestamp: bigint;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
  readonly reports: readonly ReportBlock[];
  /** Profile-specific words behind the blocks (RFC 3550 §6.4.3). */
  readonly extension: Uint8Array;
}

export interface ReceiverReport {
  readonly kind: 'receiver-report';
  readonly ssrc: number;
  readonly reports: readonly ReportBlock[];
  readonly extension: Uint8Array;
}

export interface SdesItem {
  /** 1–255; see SDES_ITEMS. */
  readonly type: number;
  /** UTF-8 by RFC 3550 §6.5, and kept as bytes because a sender may not care. */
  readonly value: Uint8Array;
}

export interface SdesChunk {
  readonly ssrc: number;
  readonly items: readonly SdesItem[];
}

export interface SourceDescription {
  readonly kind: 'source-description';
  readonly chunks: readonly SdesChunk[];
}

export interface Bye {
  readonly kind: 'bye';
  readonly ssrcs: readonly number[];
  /** UTF-8 by RFC 3550 §6.6, or null when the sender gave none. */
  readonly reason: Uint8Array | null;
}

export interface App {
  readonly kind: 'app';
  /** 0–31. */
  readonly subtype: number;
  readonly ssrc: number;
  /** Four ASCII characters (RFC 3550 §6.7); read as Latin-1 so that nothing is lost. */
  readonly name: string;
  /** Whole 32-bit words. */
  readonly data: Uint8Array;
}

/** A packet type that is not read here, e.g. feedback (RFC 4585). */
export interface UnknownRtcp {
  readonly kind: 'unknown';
  readonly packetType: number;
  /** The five bits beside version and padding. */
  readonly count: number;
  readonly body: Uint8Array;
}

export type RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Bye | App | ExtendedReport | UnknownRtcp;

export interface RtcpCompound {
  readonly packets: readonly RtcpPacket[];
  /** Octets of padding at the end of the last packet, a multiple of 4; 0 means that its P bit is clear. */
  readonly padding: number;
}

/** Cheap test for demultiplexing (RFC 5761 §4, RFC 7983 §7): could this datagram be RTCP? */
export const looksLikeRtcp = (bytes: Uint8Array): boolean =>
  bytes.length >= MIN_RTCP_BYTES && isRtpFirstOctet(bytes[0]) && isRtcpSecondOctet(bytes[1]);

/** The canonical name that a compound packet gives its first source (RFC 3550 §6.5.1), or null if it gives none. */
export const cnameOf = ({ packets }: RtcpCompound): string | null => {
  for (const packet of packets) {
    if (packet.kind !== 'source-description') continue;
    for (const item of packet.chunks[0]?.items ?? [])
      if (item.type === SDES_ITEMS.cname) return Buffer.from(item.value).toString('utf8');
  }
  return null;
};

/** The source description that every compound packet must carry: one source and its CNAME (RFC 3550 §6.1). */
export const cnameDescription = (ssrc: number, cname: string): SourceDescription => ({
  kind: 'source-description',
  chunks: [{ ssrc, items: [{ type: SDES_ITEMS.cname, value: Buffer.from(cname, 'utf8') }] }],
});

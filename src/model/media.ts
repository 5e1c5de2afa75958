/** A stream of audio as it was sent and as it came home: plain data, no opinion. */
import type { Family } from './check.js';

/**
 * What a stream looks like on the wire: payload type, units of its clock in 20 ms, and octets of payload. The tag of an answer takes
 * 100 octets, so a stream of a codec whose packets are smaller (20 octets in G.729) is as small as the proof allows, and no smaller.
 */
export const CODECS = {
  /** PCMU (RFC 3551 §4.5.14): 8000 octets a second. */
  g711: { payloadType: 0, timestampStep: 160, payloadBytes: 160 },
  /** RFC 3551 §4.5.6. */
  g729: { payloadType: 18, timestampStep: 160, payloadBytes: 100 },
  /** RFC 7587: a dynamic type, a clock of 48 kHz; 40 kbit/s. */
  opus: { payloadType: 111, timestampStep: 960, payloadBytes: 100 },
} as const;
export type Codec = keyof typeof CODECS;
export const CODEC_NAMES = Object.keys(CODECS) as readonly Codec[];

/** How long a stream lasts beside the other questions where nobody says otherwise: enough to bound loss below 1 %. */
export const USUAL_MEDIA_S = 6;
/** The longest, in seconds. */
export const MAX_MEDIA_S = 600;
/** How phones send: a packet every 20 ms. */
export const SPACING_MS = 20;
/** RTP's header (RFC 3550 §5.1). */
export const RTP_BYTES = 12;

/** One packet of a stream. Times of the far end are milliseconds of its own clock. */
export interface MediaPacket {
  /** When it left, in milliseconds since the stream began; it was due `lateMs` earlier. */
  readonly sentAtMs: number;
  readonly lateMs: number;
  /** How often it arrived at the far end, and how often that answered; null where it did not tell. */
  readonly arrived: number | null;
  readonly answered: number | null;
  /** When it arrived there and when its answer left; null where no answer told. */
  readonly farInMs: number | null;
  readonly farOutMs: number | null;
  /** When its first answer came here, in milliseconds since the stream began, and how many came; null and 0 if none did. */
  readonly heardAtMs: number | null;
  readonly heard: number;
  /** This host was held up while the answer may have waited: the time of its coming is not known. */
  readonly isBlurred: boolean;
}

/** Why a stream ended. */
export type MediaEnd = 'complete' | 'loss' | 'interrupted';

/** Sender reports beside a stream, and the answers to them. */
export interface RtcpCounts {
  readonly sent: number;
  readonly answered: number;
}

export interface MediaStream {
  readonly spacingMs: number;
  readonly packets: readonly MediaPacket[];
  /** Sendings that this host refused. */
  readonly errors: number;
  /** Proven answers to a packet that arrived in another form than it was sent, or that came back changed themselves. */
  readonly changed: number;
  /** Proven answers to a packet that arrived at another port of the far end than it was sent to. */
  readonly redirected: number;
  readonly ended: MediaEnd;
  readonly rtcp: RtcpCounts;
}

/** So many streams at once, and what became of each. */
export interface MediaStep {
  readonly calls: number;
  readonly seconds: number;
  readonly ended: MediaEnd;
  /** Share of packets that left more than a packet's time late. */
  readonly lateRatio: number;
  readonly streams: readonly {
    readonly sent: number;
    /** Null where the far end did not tell. */
    readonly arrived: number | null;
    readonly answered: number | null;
    readonly heard: number;
  }[];
}

/** Why no stream was sent. */
type MediaNotSent = 'pace' | 'rate-limited' | 'local-error';

export interface MediaFacts {
  readonly address: string;
  readonly family: Family;
  readonly port: number;
  readonly codec: Codec;
  readonly notSent: MediaNotSent | null;
  /** The stream; null if none was sent. */
  readonly stream: MediaStream | null;
  /** Where the stream seemed to be cut or throttled from some packet on: another one over a fresh flow, twice as fast. */
  readonly repeat: MediaStream | null;
  /** How many streams at once were asked for, and what became of them; none if only one was asked for. */
  readonly asked: number;
  readonly steps: readonly MediaStep[];
  /** By how much the far end says it was late with its own work lately, in milliseconds. */
  readonly farEndLateMs: number;
}

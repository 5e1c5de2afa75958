/** The sound of a call: what a mouth sends every 20 ms, keys included, and what an ear has heard. Bytes only. */
import { keyOf, pressedKey, readTelephoneEvent } from '../wire/dtmf.js';
import { encodeRtp, looksLikeRtp, parseRtp } from '../wire/rtp.js';

/** Between two packets, as every phone sends G.711. */
export const PACKET_MS = 20;
/** 20 ms at 8,000 samples a second. */
const SAMPLES = 160;
/** Silence in PCMU (G.711). */
const SILENCE = 0xff;
/** A key is held for 100 ms: long enough for every switch. */
const KEY_PACKETS = 5;
/** Who else may speak to a port; the rest is counted as nobody's. */
const MAX_SPEAKERS = 8;
const MAX_KEYS = 32;

export interface Mouth {
  readonly ssrc: number;
  /** The next packet. */
  next(): Uint8Array;
  /** The packets of one pressed key, one every 20 ms. @throws RangeError for what is no key */
  press(key: string, payloadType: number): readonly Uint8Array[];
}

export const createMouth = (ssrc: number, payloadType: number): Mouth => {
  let sequence = 0;
  let timestamp = 0;
  const payload = new Uint8Array(SAMPLES).fill(SILENCE);
  const packet = (type: number, content: Uint8Array, marker: boolean, at: number): Uint8Array => {
    const bytes = encodeRtp({
      ...{ marker, payloadType: type, ssrc, sequence: sequence & 0xffff, timestamp: at >>> 0, payload: content },
      ...{ csrcs: [], extension: null, padding: 0 },
    });
    sequence += 1;
    return bytes;
  };
  return {
    ssrc,
    next: () => {
      const bytes = packet(payloadType, payload, sequence === 0, timestamp);
      timestamp += SAMPLES;
      return bytes;
    },
    press: (key, type) => {
      // All packets of an event have the time of its beginning (RFC 4733 §2.2.2).
      const at = timestamp;
      const all = pressedKey(key, KEY_PACKETS, SAMPLES).map((event, index) => packet(type, event, index === 0, at));
      timestamp += all.length * SAMPLES;
      return all;
    },
  };
};

export interface Ear {
  /** True for RTP, which is counted. */
  hear(bytes: Uint8Array): boolean;
  /** Packets of this speaker. */
  heard(ssrc: number): number;
  /** Packets of all speakers. */
  all(): number;
  /** Keys in the order in which they were pressed. */
  keys(): string;
}

/** @param events the payload type of keys in this call; null where it has none */
export const createEar = (events: () => number | null): Ear => {
  const bySpeaker = new Map<number, number>();
  const pressed = new Set<string>();
  let keys = '';
  let all = 0;
  return {
    hear: (bytes) => {
      if (!looksLikeRtp(bytes)) return false;
      const parsed = parseRtp(bytes);
      if (!parsed.ok) return false;
      const { ssrc, payloadType, timestamp, payload } = parsed.value;
      if (!bySpeaker.has(ssrc) && bySpeaker.size >= MAX_SPEAKERS) return true;
      bySpeaker.set(ssrc, (bySpeaker.get(ssrc) ?? 0) + 1);
      all += 1;
      if (payloadType !== events()) return true;
      const event = readTelephoneEvent(payload);
      const key = event.ok ? keyOf(event.value.event) : null;
      const name = `${ssrc} ${timestamp}`;
      if (key === null || pressed.has(name) || pressed.size >= MAX_KEYS) return true;
      pressed.add(name);
      keys += key;
      return true;
    },
    heard: (ssrc) => bySpeaker.get(ssrc) ?? 0,
    all: () => all,
    keys: () => keys,
  };
};

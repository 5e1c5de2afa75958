/** Keys pressed during a call, as events inside RTP (RFC 4733 §2.3): four octets each, and what a burst of them says. */
import { accept, type Parsed, refuse } from '../model/refusal.js';

/** RFC 4733 §3.2, by the event's number: what a phone's keypad has. */
const KEYS = '0123456789*#ABCD';
const PAYLOAD_BYTES = 4;
const END_BIT = 0x80;
const VOLUME_BITS = 0x3f;
/** −10 dBm0, as most phones send it; the field holds the number without its sign. */
const VOLUME = 10;
/** RFC 4733 §2.5.1.4: the last packet is sent three times, because its loss would hold the key down. */
const END_REPEATS = 3;

interface TelephoneEvent {
  /** 0–255; of these 0–15 are keys. */
  readonly event: number;
  /** The key is up again. */
  readonly isEnd: boolean;
  /** 0–63: dBm0 without its sign. */
  readonly volume: number;
  /** 0–65535, in units of the payload format's clock: 8,000 a second. */
  readonly duration: number;
}

/** Reads one event; RFC 2198 packs several, which nobody sends for keys. */
export const readTelephoneEvent = (payload: Uint8Array): Parsed<TelephoneEvent, 'truncated'> => {
  if (payload.length < PAYLOAD_BYTES) return refuse('truncated');
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const flags = bytes.readUInt8(1);
  return accept({
    event: bytes.readUInt8(0),
    isEnd: (flags & END_BIT) !== 0,
    volume: flags & VOLUME_BITS,
    duration: bytes.readUInt16BE(2),
  });
};

/** @throws RangeError when a field does not fit its place: the caller's mistake. */
export const encodeTelephoneEvent = ({ event, isEnd, volume, duration }: TelephoneEvent): Uint8Array => {
  if (volume > VOLUME_BITS) throw new RangeError(`an event's volume is 0–63, not ${volume}`);
  const bytes = Buffer.alloc(PAYLOAD_BYTES);
  bytes.writeUInt8(event, 0);
  bytes.writeUInt8((isEnd ? END_BIT : 0) | volume, 1);
  bytes.writeUInt16BE(duration, 2);
  return bytes;
};

/** The key of an event, or null. */
export const keyOf = (event: number): string | null => KEYS[event] ?? null;

/**
 * The payloads of one pressed key, of one RTP timestamp all of them (RFC 4733 §2.5.1): `packets` while it is held, then
 * the end, repeated.
 * @throws RangeError for what is no key
 */
export const pressedKey = (key: string, packets: number, ticksEach: number): readonly Uint8Array[] => {
  const event = KEYS.indexOf(key.toUpperCase());
  if (key.length !== 1 || event === -1) throw new RangeError(`"${key}" is no key of a phone`);
  const of = (count: number, isEnd: boolean): Uint8Array =>
    encodeTelephoneEvent({ event, isEnd, volume: VOLUME, duration: count * ticksEach });
  return [
    ...Array.from({ length: packets }, (_, index) => of(index + 1, false)),
    ...Array.from({ length: END_REPEATS }, () => of(packets + 1, true)),
  ];
};

/** A key that was held: `Signal=` and `Duration=` lines, as many phones send it in an INFO (`application/dtmf-relay`). */
export const relayOf = (key: string): Uint8Array => Buffer.from(`Signal=${key}\r\nDuration=160\r\n`, 'latin1');
/** Longer bodies say nothing more. */
const MAX_RELAY = 256;

/** The key that an INFO's body names; null for none. */
export const readRelay = (body: Uint8Array): string | null => {
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, MAX_RELAY)).toString('latin1');
  const [, key] = /^Signal\s*=\s*([0-9*#A-D])\s*$/im.exec(text.replaceAll('\r', '')) ?? [];
  return key ?? null;
};

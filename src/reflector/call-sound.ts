/** The sound of a line's call at the far end: what is said of it, who speaks on it, and what is heard. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Call } from '../dialog/call.js';
import type { Clock } from '../dialog/clock.js';
import { createEar, createMouth, type Ear, type Mouth, PACKET_MS } from '../dialog/sound.js';
import {
  audioOf,
  buildSdp,
  commonFormats,
  EVENTS,
  eventsOf,
  hasVoice,
  type MediaDirection,
  OUR_FORMATS,
  type PayloadFormat,
  parseSdp,
} from '../wire/sdp.js';
import type { BodyToSend } from '../wire/sip-build.js';
import type { Source } from './udp.js';

/** Of one order: ten seconds of sound. */
const MAX_TALK = 500;

/** Of one call: who speaks on it, and what is heard. */
export interface Spoken {
  readonly mouth: Mouth;
  readonly ear: Ear;
  call: Call | null;
  readonly isOurs: boolean;
  events: number | null;
  version: number;
  acknowledged: boolean | null;
  sent: number;
  relayed: string;
  /** The speaker that the description names (RFC 5576); null where it names none, so that any may be it. */
  speaker: number | null;
  /** From where its sound comes; null before any came. */
  heardFrom: Source | null;
  /** Where the description says that it is; null where that is not the proven address. */
  named: Source | null;
}

interface SoundRules {
  readonly clock: Clock;
  /** The reflector's address as the agent knows it. */
  readonly host: string;
  /** The agent's address, which proved itself. */
  readonly proven: string;
  /** Where the sound of this line is to be sent to; null where no port was to be had. */
  readonly mediaPort: number | null;
  readonly speak: (bytes: Uint8Array, to: Source) => void;
  /** Runs once so much later, unless the line ends before. */
  readonly later: (ms: number, run: () => void) => void;
}

interface Agreed {
  readonly formats: readonly PayloadFormat[];
  /** What the other side does. */
  readonly direction: MediaDirection;
}

export interface LineSound {
  /** The latest call; null before any. */
  current(): Spoken | null;
  /** For a call that may come about. */
  fresh(isOurs: boolean): Spoken;
  /** A call begins: its sound is the line's from now on. */
  begin(one: Spoken): void;
  describe(one: Spoken, direction: MediaDirection, formats?: readonly PayloadFormat[]): BodyToSend;
  /** Takes in what the other side says of its sound: what both speak, and who says to; null for what cannot be spoken. */
  agree(one: Spoken, body: Uint8Array): Agreed | null;
  talk(one: Spoken, packets: readonly Uint8Array[] | number): void;
  press(one: Spoken, key: string): void;
  /** False for what is no sound of the latest call. */
  hear(bytes: Uint8Array, from: Source): boolean;
}

/** Where RTP has its SSRC (RFC 3550 §5.1). */
const SSRC_AT = 8;
const speakerOf = (bytes: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32BE(SSRC_AT);

const newSpoken = (isOurs: boolean): Spoken => {
  const one: Spoken = {
    ...{ isOurs, call: null, events: EVENTS.payloadType, version: 1, acknowledged: null },
    ...{ sent: 0, relayed: '', speaker: null, heardFrom: null, named: null },
    mouth: createMouth(randomBytes(4).readUInt32BE(0), 0),
    ear: createEar(() => one.events),
  };
  return one;
};

export const createLineSound = ({ clock, host, proven, mediaPort, speak, later }: SoundRules): LineSound => {
  const sessionId = randomInt(2 ** 31);
  let current: Spoken | null = null;
  const talk: LineSound['talk'] = (one, packets) => {
    const many = typeof packets === 'number' ? Math.min(packets, MAX_TALK) : packets.length;
    const begunAtMs = clock.now();
    const say = (index: number): void => {
      const to = one.heardFrom ?? one.named;
      if (index >= many || one !== current) return;
      if (to) {
        speak(typeof packets === 'number' ? one.mouth.next() : (packets[index] ?? new Uint8Array()), to);
        one.sent += 1;
      }
      later(Math.max(0, begunAtMs + (index + 1) * PACKET_MS - clock.now()), () => say(index + 1));
    };
    say(0);
  };
  return {
    current: () => current,
    fresh: newSpoken,
    begin: (one) => {
      current = one;
    },
    describe: (one, direction, formats = OUR_FORMATS) => ({
      contentType: 'application/sdp',
      content: buildSdp({
        ...{ address: host, port: mediaPort ?? 0, sessionId, version: one.version, direction, formats },
        ssrc: one.mouth.ssrc,
      }),
    }),
    agree: (one, body) => {
      const described = parseSdp(body);
      const audio = described.ok ? audioOf(described.value) : null;
      if (!audio) return null;
      const formats = commonFormats(audio);
      if (!hasVoice(formats)) return null;
      one.events = eventsOf(formats);
      one.speaker = audio.ssrc;
      // Never to an address that a message names, unless it is the one that proved itself.
      one.named = audio.address === proven ? { address: proven, port: audio.port } : null;
      return { formats, direction: audio.direction };
    },
    talk,
    press: (one, key) => {
      if (one.events !== null && /^[0-9*#A-D]$/.test(key)) talk(one, one.mouth.press(key, one.events));
    },
    hear: (bytes, from) => {
      const one = current;
      // Several calls of one address may share a port: each knows its speaker.
      if (!one || (one.speaker !== null && speakerOf(bytes) !== one.speaker)) return false;
      if (!one.ear.hear(bytes)) return false;
      one.heardFrom = from;
      return true;
    },
  };
};

/** One telephone of ours: a way for its signalling, a socket for its sound, and the phone itself. */

import type { Clock } from '../../dialog/clock.js';
import type { Called } from '../../dialog/incoming.js';
import { createPhone, type Phone } from '../../dialog/phone.js';
import { createEar, createMouth, type Ear, type Mouth, PACKET_MS } from '../../dialog/sound.js';
import type { Check } from '../../model/check.js';
import { isSocketError } from '../../net/errno.js';
import type { CallIdentity } from '../../wire/call.js';
import { audioOf, buildSdp, EVENTS, type MediaDirection, OUR_FORMATS, parseSdp } from '../../wire/sdp.js';
import type { Tools } from '../tools.js';
import { openSignalling, type Signalling } from './call-signalling.js';

export interface AgentLine {
  readonly number: number;
  readonly phone: Phone;
  readonly user: string;
  /** `sip:user@far-end`, which is whom it calls and as whom it is called. */
  readonly uri: string;
  /** Where the far end is to send requests. */
  readonly contact: string;
  /** The far end's, for requests about registration. */
  readonly registrar: string;
  readonly mouth: Mouth;
  readonly ear: Ear;
  readonly clock: Clock;
  readonly isReliable: boolean;
  /** See `Signalling`. */
  readonly endedAtMs: () => number | null;
  describe(direction?: MediaDirection): { readonly contentType: string; readonly content: Uint8Array };
  /** Takes in where the far end wants its sound. */
  agree(body: Uint8Array): boolean;
  /** Speaks for so many packets; when each went out. Nothing where nobody said where to. */
  talk(packets: number | readonly Uint8Array[]): Promise<readonly number[]>;
  /** What phones send so that a firewall keeps the way open (RFC 5626 §3.5.1). */
  keepAlive(): void;
  onCalled(answer: (called: Called) => void): void;
  close(): void;
}

const KEEPALIVE = Buffer.from('\r\n\r\n');
const SSRC_BYTES = 4;

/**
 * The run's own time, of which a test may have another. Its timers outlive the run's end: a call is hung up after it, and an
 * exchange whose timers ended would wait for ever. The phone ends them when it is closed.
 */
const clockOf = ({ net }: Tools): Clock => ({
  now: net.now,
  after: (ms, run) => {
    const cancelled = new AbortController();
    void net.sleep(ms, cancelled.signal).then(run, () => undefined);
    return () => cancelled.abort();
  },
});

/** The line's sound: who speaks, who listens, and what is said of it. */
const createVoice = async (sip: Check, local: string, count: (bytes: Uint8Array) => void, tools: Tools) => {
  const { net, totals, signal } = tools;
  const address = sip.address ?? '';
  const mouth = createMouth(Buffer.from(net.random(SSRC_BYTES)).readUInt32BE(0), 0);
  const ear = createEar(() => EVENTS.payloadType);
  const socket = await net.openSharedUdp(
    sip.family ?? 4,
    (bytes, from) => {
      totals.packetsReceived += 1;
      if (from === address || from === `::ffff:${address}`) ear.hear(bytes);
    },
    net.source,
  );
  const sessionId = Buffer.from(net.random(SSRC_BYTES)).readUInt32BE(0) >>> 1;
  let version = 0;
  let theirs: number | null = null;
  return {
    mouth,
    ear,
    describe: (direction: MediaDirection = 'sendrecv') => {
      version += 1;
      return {
        contentType: 'application/sdp',
        content: buildSdp({
          ...{ address: local, port: socket.local.port, sessionId, version, direction },
          ...{ ssrc: mouth.ssrc, formats: OUR_FORMATS },
        }),
      };
    },
    agree: (body: Uint8Array): boolean => {
      const parsed = parseSdp(body);
      const audio = parsed.ok ? audioOf(parsed.value) : null;
      if (!audio) return false;
      theirs = audio.port;
      return true;
    },
    talk: async (packets: number | readonly Uint8Array[]): Promise<readonly number[]> => {
      const many = typeof packets === 'number' ? packets : packets.length;
      const sentAtMs: number[] = [];
      const begunAtMs = net.now();
      for (let index = 0; index < many && theirs !== null && !signal.aborted; index += 1) {
        await net.sleep(Math.max(0, begunAtMs + index * PACKET_MS - net.now()), signal).catch(() => undefined);
        await net.pacer.take(1, signal).catch(() => undefined);
        const bytes = typeof packets === 'number' ? mouth.next() : (packets[index] ?? new Uint8Array());
        count(bytes);
        sentAtMs.push(net.now());
        // What cannot be sent is lost like any datagram.
        socket.send(bytes, theirs, address, () => undefined);
      }
      return sentAtMs;
    },
    close: () => socket.close(),
  };
};

/** @throws SocketError if a socket cannot be had */
const open = async (
  sip: Check,
  number: number,
  identity: CallIdentity,
  tools: Tools,
  domain: string,
): Promise<AgentLine | null> => {
  const { net, totals } = tools;
  const address = sip.address ?? '';
  const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
  const user = identity.user(number);
  const clock = clockOf(tools);
  let phone: Phone | null = null;
  let called: (one: Called) => void = (one) => one.refuse(486, 'Busy Here');
  const count = (bytes: Uint8Array): void => {
    totals.packetsSent += 1;
    totals.bytesSent += bytes.length;
  };
  const signalling: Signalling | null = await openSignalling(sip, tools, (bytes) => {
    totals.packetsReceived += 1;
    phone?.hear(bytes);
  });
  if (!signalling) return null;
  const local = net.source ?? signalling.local.address;
  const voice = await createVoice(sip, local, count, tools).catch((error: unknown) => {
    signalling.close();
    throw error;
  });
  const put = (bytes: Uint8Array): void => {
    count(bytes);
    signalling.send(bytes);
  };
  const { transport } = signalling;
  const isReliable = transport !== 'UDP';
  const uri = `sip:${user}@${bracketed(domain)}`;
  const { port } = signalling.local;
  const over = isReliable ? `;transport=${transport.toLowerCase()}` : '';
  const contact = `sip:${user}@${bracketed(local)}:${port}${over}`;
  phone = createPhone({
    clock,
    random: net.random,
    self: { transport, host: local, port, uri, contact },
    peer: () => ({ address, port: sip.port }),
    wire: { isReliable, send: put },
    called: (one) => called(one),
  });
  return {
    ...{ number, phone, user, clock, uri, contact, isReliable, registrar: `sip:${bracketed(domain)}` },
    ...voice,
    endedAtMs: signalling.endedAtMs,
    keepAlive: () => put(KEEPALIVE),
    onCalled: (answer) => {
      called = answer;
    },
    close: () => {
      phone?.close();
      signalling.close();
      voice.close();
    },
  };
};

/**
 * Opens it; null where no connection or socket could be had, which is no reason to lose the rest of the run.
 * @param domain of the user; the far end's address if left out
 */
export const openLine = async (
  sip: Check,
  number: number,
  identity: CallIdentity,
  tools: Tools,
  domain: string = sip.address ?? '',
): Promise<AgentLine | null> => {
  try {
    return await open(sip, number, identity, tools, domain);
  } catch (error) {
    if (isSocketError(error)) return null;
    throw error;
  }
};

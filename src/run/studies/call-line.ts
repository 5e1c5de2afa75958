/** One telephone of ours: a socket for its signalling, one for its sound, and the phone itself. */

import { type Clock, realClock } from '../../dialog/clock.js';
import type { Called } from '../../dialog/incoming.js';
import { createPhone, type Phone } from '../../dialog/phone.js';
import { createEar, createMouth, type Ear, type Mouth, PACKET_MS } from '../../dialog/sound.js';
import type { Check } from '../../model/check.js';
import { localAddressFor } from '../../net/local.js';
import { openSocket } from '../../net/udp-open.js';
import type { CallIdentity } from '../../wire/call.js';
import { audioOf, buildSdp, EVENTS, OUR_FORMATS, parseSdp } from '../../wire/sdp.js';
import type { Tools } from '../tools.js';

type Direction = Parameters<typeof buildSdp>[0]['direction'];

export interface AgentLine {
  readonly number: number;
  readonly phone: Phone;
  readonly user: string;
  /** `sip:user@far-end`, which is whom it calls and as whom it is called. */
  readonly uri: string;
  /** The far end's, for requests about registration. */
  readonly registrar: string;
  readonly mouth: Mouth;
  readonly ear: Ear;
  readonly clock: Clock;
  describe(direction?: Direction): { readonly contentType: string; readonly content: Uint8Array };
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

/** Opens it. @throws SocketError if a socket cannot be had */
export const openLine = async (
  sip: Check,
  number: number,
  identity: CallIdentity,
  tools: Tools,
): Promise<AgentLine> => {
  const { net, totals, signal } = tools;
  const address = sip.address ?? '';
  const family = sip.family ?? 4;
  const host = family === 6 ? `[${address}]` : address;
  const user = identity.user(number);
  const clock: Clock = { now: net.now, after: realClock.after };
  const received = (): void => {
    totals.packetsReceived += 1;
  };
  const sent = (bytes: Uint8Array): void => {
    totals.packetsSent += 1;
    totals.bytesSent += bytes.length;
  };
  let phone: Phone | null = null;
  let called: (one: Called) => void = (one) => one.refuse(486, 'Busy Here');
  const flow = await net.openUdp(
    { address, port: sip.port, family },
    {
      message: (bytes) => {
        received();
        phone?.hear(bytes);
      },
      // A refusal by the network shows as silence, which is weighed.
      error: () => undefined,
    },
    { address: net.source ?? undefined },
  );
  const local = (await localAddressFor(address, family)) ?? flow.local.address;
  const mouth = createMouth(Buffer.from(net.random(SSRC_BYTES)).readUInt32BE(0), 0);
  const ear = createEar(() => EVENTS.payloadType);
  const voice = await openSocket(family, net.source, (bytes, from) => {
    received();
    if (from.address === address || from.address === `::ffff:${address}`) ear.hear(bytes);
  }).catch((error: unknown) => {
    flow.close();
    throw error;
  });
  let version = 0;
  let theirs: number | null = null;
  const sessionId = Buffer.from(net.random(SSRC_BYTES)).readUInt32BE(0) >>> 1;
  const put = (bytes: Uint8Array): void => {
    sent(bytes);
    void flow.send(bytes).catch(() => undefined);
  };
  phone = createPhone({
    clock,
    random: net.random,
    self: {
      ...{ transport: 'UDP', host: net.source ?? local, port: flow.local.port, uri: `sip:${user}@${host}` },
      contact: `sip:${user}@${family === 6 ? `[${net.source ?? local}]` : (net.source ?? local)}:${flow.local.port}`,
    },
    peer: () => ({ address, port: sip.port }),
    wire: { isReliable: false, send: put },
    called: (one) => called(one),
  });
  return {
    ...{ number, phone, user, mouth, ear, clock, uri: `sip:${user}@${host}`, registrar: `sip:${host}` },
    describe: (direction = 'sendrecv') => {
      version += 1;
      return {
        contentType: 'application/sdp',
        content: buildSdp({
          ...{ address: net.source ?? local, port: voice.localPort, sessionId, version, direction },
          ...{ ssrc: mouth.ssrc, formats: OUR_FORMATS },
        }),
      };
    },
    agree: (body) => {
      const parsed = parseSdp(body);
      const audio = parsed.ok ? audioOf(parsed.value) : null;
      if (!audio) return false;
      theirs = audio.port;
      return true;
    },
    talk: async (packets) => {
      const many = typeof packets === 'number' ? packets : packets.length;
      const sentAtMs: number[] = [];
      const begunAtMs = net.now();
      for (let index = 0; index < many && theirs !== null && !signal.aborted; index += 1) {
        await net.sleep(Math.max(0, begunAtMs + index * PACKET_MS - net.now()), signal).catch(() => undefined);
        await net.pacer.take(1, signal).catch(() => undefined);
        const bytes = typeof packets === 'number' ? mouth.next() : (packets[index] ?? new Uint8Array());
        sent(bytes);
        sentAtMs.push(net.now());
        voice.send(bytes, { address, port: theirs });
      }
      return sentAtMs;
    },
    keepAlive: () => put(KEEPALIVE),
    onCalled: (answer) => {
      called = answer;
    },
    close: () => {
      phone?.close();
      flow.close();
      voice.close();
    },
  };
};

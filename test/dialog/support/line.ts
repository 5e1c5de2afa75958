/** Two phones with a line between them that a test holds: it decides what arrives, and what time it is. */
import type { Call } from '../../../src/dialog/call.js';
import type { Clock } from '../../../src/dialog/clock.js';
import type { Called } from '../../../src/dialog/incoming.js';
import { createPhone, type Phone } from '../../../src/dialog/phone.js';
import { type AudioToSend, buildSdp, OUR_FORMATS } from '../../../src/wire/sdp.js';
import { parseSip, type SipMessage } from '../../../src/wire/sip.js';

interface TestClock extends Clock {
  /** Lets time pass, timer by timer, and what waits for it go on. */
  pass(ms: number): Promise<void>;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const testClock = (): TestClock => {
  let nowMs = 1000;
  const timers = new Set<{ atMs: number; run: () => void }>();
  const pass = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms;
    await settle();
    for (;;) {
      const [next] = [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      nowMs = Math.max(nowMs, next.atMs);
      timers.delete(next);
      next.run();
      await settle();
    }
    nowMs = untilMs;
  };
  return {
    now: () => nowMs,
    after: (ms, run) => {
      const timer = { atMs: nowMs + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass,
  };
};

export const messageOf = (bytes: Uint8Array): SipMessage => {
  const parsed = parseSip(bytes);
  if (!parsed.ok) throw new Error(`refused: ${parsed.refusal}`);
  return parsed.value;
};
/** `INVITE`, `200 INVITE`, `ACK` … */
export const nameOf = (bytes: Uint8Array): string => {
  const message = messageOf(bytes);
  return message.kind === 'request' ? message.method : `${message.status} ${message.essentials.cseq.method}`;
};

export const audio = (more: Partial<AudioToSend> = {}) => ({
  contentType: 'application/sdp',
  content: buildSdp({
    ...{ address: '192.0.2.1', port: 20_000, sessionId: 1, version: 1, direction: 'sendrecv', ssrc: 1 },
    formats: OUR_FORMATS,
    ...more,
  }),
});

type Passes = (bytes: Uint8Array, from: 'alice' | 'bob', count: number) => boolean;

export const twoPhones = (clock: Clock, { isReliable = false }: { isReliable?: boolean } = {}) => {
  const state = { passes: (() => true) as Passes, count: 0 };
  let seed = 0;
  const random = (bytes: number): Uint8Array => {
    seed += 1;
    return Buffer.from(
      seed
        .toString(16)
        .padStart(2 * bytes, '0')
        .slice(-2 * bytes),
      'hex',
    );
  };
  const called: Called[] = [];
  const phones: { alice?: Phone; bob?: Phone } = {};
  const phone = (name: 'alice' | 'bob', other: 'alice' | 'bob', host: string): Phone =>
    createPhone({
      ...{ clock, random },
      self: { transport: 'UDP', host, port: 5060, uri: `sip:${name}@example.com`, contact: `sip:${name}@${host}:5060` },
      peer: () => ({ address: host === '192.0.2.1' ? '192.0.2.2' : '192.0.2.1', port: 5060 }),
      wire: {
        isReliable,
        send: (bytes) => {
          state.count += 1;
          if (state.passes(bytes, name, state.count)) clock.after(5, () => phones[other]?.hear(bytes));
        },
      },
      called: (one) => called.push(one),
    });
  const alice = phone('alice', 'bob', '192.0.2.1');
  const bob = phone('bob', 'alice', '192.0.2.2');
  Object.assign(phones, { alice, bob });
  return { alice, bob, called, state };
};

/** A call that stands, from alice to bob. */
export const standing = async (
  clock: TestClock,
  line: ReturnType<typeof twoPhones>,
): Promise<readonly [Call, Call]> => {
  const calling = line.alice.invite('sip:bob@example.com', { body: audio() });
  await clock.pass(20);
  const one = line.called.at(-1);
  one?.ring(180);
  await clock.pass(100);
  const atBob = one?.accept(audio()) ?? null;
  await clock.pass(100);
  const atAlice = await calling.call;
  if (!atAlice || !atBob) throw new Error('the call stands');
  return [atAlice, atBob];
};

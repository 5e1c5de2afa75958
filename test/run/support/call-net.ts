/** A network in memory with the reflector's end of calls at its far end, and a firewall of the test's own between. */
import type { Clock } from '../../../src/dialog/clock.js';
import { createCalls } from '../../../src/reflector/calls.js';
import { EVERYWHERE, pureReflector, TOKEN } from '../../support/pure-reflector.js';
import { ADDRESS } from '../../verdict/support/facts.js';
import { type FakeNet, fakeNet, LOCAL_ADDRESS } from './fake-net.js';

export interface Passing {
  readonly direction: 'out' | 'in';
  readonly over: 'udp' | 'connection';
  readonly atMs: number;
  /** The branch's own. */
  readonly localPort: number;
  /** The far end's. */
  readonly port: number;
}
/** What the firewall does with a packet: lets it pass, drops it, or changes it. */
export type Firewall = (bytes: Uint8Array, passing: Passing) => Uint8Array | null;

const WAY_MS = 10;
const BINDING = new Uint8Array(32).fill(9);
/** Ports at which the far end takes sound. */
const MEDIA = Array.from({ length: 16 }, (_, index) => 20_000 + 2 * index);

export const callNet = (firewall: Firewall = (bytes) => bytes): FakeNet => {
  const base = fakeNet();
  const sockets = new Map<number, (bytes: Uint8Array, port: number) => void>();
  let nextPort = 50_000;
  const later = (ms: number, run: () => void): void => void base.sleep(ms, new AbortController().signal).then(run);
  const clock: Clock = {
    now: base.now,
    after: (ms, run) => {
      const cancelled = new AbortController();
      void base.sleep(ms, cancelled.signal).then(run, () => undefined);
      return () => cancelled.abort();
    },
  };
  const cross = (bytes: Uint8Array, passing: Omit<Passing, 'atMs'>, arrive: (bytes: Uint8Array) => void): void => {
    const passed = firewall(Uint8Array.from(bytes), { ...passing, atMs: base.now() });
    if (passed) later(WAY_MS, () => arrive(passed));
  };
  const deliver = (bytes: Uint8Array, port: number, localPort: number): void =>
    cross(bytes, { direction: 'in', over: 'udp', localPort, port }, (passed) => sockets.get(localPort)?.(passed, port));
  const calls = createCalls({
    guarded: (work) => work(),
    clock,
    send: ({ port }, bytes, to) => deliver(bytes, port, to.port),
    places: () => [5060, ...MEDIA].map((port) => ({ listener: 0, port })),
    listenerOf: () => 0,
  });
  const reflector = pureReflector(base.nowMicros, { ...EVERYWHERE, calls: true }, TOKEN, { calls });
  const send = (bytes: Uint8Array, localPort: number, port: number): void =>
    cross(bytes, { direction: 'out', over: 'udp', localPort, port }, (passed) => {
      const from = { address: LOCAL_ADDRESS, port: localPort };
      if (calls.hear(passed, from, LOCAL_ADDRESS, { listener: 0, port })) return;
      const answer = reflector.datagram(passed, { ...from, localPort: port });
      if (answer) deliver(answer, port, localPort);
    });
  const socket = (hear: (bytes: Uint8Array, port: number) => void) => {
    const localPort = nextPort;
    nextPort += 1;
    sockets.set(localPort, hear);
    return { local: { address: LOCAL_ADDRESS, port: localPort }, close: () => void sockets.delete(localPort) };
  };
  return {
    ...base,
    openUdp: async ({ port }, { message }) => {
      const one = socket((bytes) => message(bytes, base.now()));
      return {
        ...one,
        send: async (bytes) => {
          send(bytes, one.local.port, port);
          return base.now();
        },
      };
    },
    openSharedUdp: async (_family, message) => {
      const one = socket((bytes, port) => message(bytes, ADDRESS, port, base.now()));
      return { ...one, receiveBuffer: 425_984, send: (bytes, port) => send(bytes, one.local.port, port) };
    },
    openStream: ({ port }, isSecure, { open, data, end }) => {
      let isOpen = true;
      const localPort = nextPort;
      nextPort += 1;
      const binding = isSecure ? BINDING : null;
      const back = (bytes: Uint8Array): void =>
        cross(bytes, { direction: 'in', over: 'connection', localPort, port }, (passed) => {
          if (isOpen) data(passed, base.now());
        });
      const conversation = reflector.conversation(back);
      const write = (bytes: Uint8Array): void =>
        cross(bytes, { direction: 'out', over: 'connection', localPort, port }, (passed) => {
          const arrival = reflector.arrival({ address: LOCAL_ADDRESS, port: localPort, localPort: port, binding });
          const step = conversation.push(passed, arrival);
          for (const one of step.send) back(one.bytes);
          if (step.close) later(2 * WAY_MS, () => isOpen && end(null, true));
        });
      later(WAY_MS, () => {
        if (isOpen) open({ local: { address: LOCAL_ADDRESS, port: localPort }, tls: null, binding, write }, base.now());
      });
      return () => {
        isOpen = false;
      };
    },
  };
};

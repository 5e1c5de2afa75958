/** A network in memory with a clock of its own: peers are scripted, hours pass in milliseconds, and leaks are counted. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { SocketError } from '../../../src/net/errno.js';
import { createPacer } from '../../../src/net/pacing.js';
import type { Stream, StreamEvents, StreamPeer } from '../../../src/net/stream.js';
import type { UdpPeer } from '../../../src/net/udp.js';
import type { Net } from '../../../src/run/net.js';

/** What comes of a packet, and how many milliseconds later. */
export type Outcome =
  | { readonly afterMs: number; readonly bytes: Uint8Array }
  | { readonly afterMs: number; readonly error: SocketError };

export interface SentPacket {
  readonly atMs: number;
  readonly peer: UdpPeer;
  readonly localPort: number;
  readonly bytes: Uint8Array;
  /** Packets sent before this one, to whomever. */
  readonly index: number;
}

/** What a connection does. */
export type Happening =
  | { readonly afterMs: number; readonly open: { readonly binding: Uint8Array | null; readonly tls: Stream['tls'] } }
  | { readonly afterMs: number; readonly bytes: Uint8Array }
  | { readonly afterMs: number; readonly end: SocketError | null; readonly tcpOpen?: boolean };

export interface Script {
  /** What comes of a datagram; nothing if left out. A `SocketError` instead: the sending itself fails. */
  readonly udp?: (packet: SentPacket) => readonly Outcome[] | SocketError;
  /** The socket cannot be opened. */
  readonly openUdp?: (count: number) => SocketError | null;
  /** What a fresh connection does. */
  readonly connect?: (peer: StreamPeer, secure: boolean, count: number) => readonly Happening[];
  /** What comes of bytes written to a connection. */
  readonly written?: (bytes: Uint8Array, peer: StreamPeer, local: Stream['local']) => readonly Happening[];
  readonly maxPps?: number;
  /** The octet that each jitter is drawn from; 0 if left out. */
  readonly jitter?: number;
}

export interface FakeNet extends Net {
  readonly sent: readonly SentPacket[];
  /** Connections that were tried. */
  readonly connections: readonly { readonly peer: StreamPeer; readonly atMs: number }[];
  /** Sockets and connections that are open now. */
  readonly openSockets: () => number;
  /** Timers of the code under test that are pending now. */
  readonly timers: () => number;
  /** Runs the clock until `work` has settled. Throws if it waits for something that never comes. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Calls back when the clock gets there. */
  at(ms: number, callback: () => void): void;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
  /** Scheduled by the test and not by the code under test or its peers. */
  readonly external: boolean;
}

export const LOCAL_ADDRESS = '192.0.2.7';
const FIRST_PORT = 40_000;
/** What module loading may take on a busy machine, in real milliseconds, before a standstill is called one. */
const MAX_IDLE_MS = 60_000;

/** A fake network that follows `script`; without one everything is silent. */
export const fakeNet = (script: Script = {}): FakeNet => {
  let now = 0;
  let order = 0;
  let port = FIRST_PORT;
  let drawn = 0;
  let opened = 0;
  let timers = 0;
  const events: Event[] = [];
  const sent: SentPacket[] = [];
  const connections: { peer: StreamPeer; atMs: number }[] = [];
  const open = new Set<object>();

  const schedule = (afterMs: number, fire: () => void, external = false): Event => {
    order += 1;
    const event = { atMs: now + Math.max(0, afterMs), order, fire, external };
    events.push(event);
    return event;
  };
  const cancel = (event: Event): void => {
    const index = events.indexOf(event);
    if (index >= 0) events.splice(index, 1);
  };
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      timers += 1;
      const aborted = (): void => {
        timers -= 1;
        cancel(event);
        reject(signal.reason);
      };
      const event = schedule(ms, () => {
        timers -= 1;
        signal.removeEventListener('abort', aborted);
        resolve();
      });
      signal.addEventListener('abort', aborted, { once: true });
    });

  const net: FakeNet = {
    sent,
    connections,
    openSockets: () => open.size,
    timers: () => timers,
    at: (ms, callback) => void schedule(ms - now, callback, true),
    openUdp: async (peer, handlers, local) => {
      const refusal = script.openUdp?.(opened) ?? null;
      opened += 1;
      if (refusal) throw refusal;
      const socket = {};
      open.add(socket);
      const localPort = local?.port || port;
      if (localPort === port) port += 1;
      return {
        local: { address: LOCAL_ADDRESS, port: localPort },
        send: async (bytes) => {
          const packet = { atMs: now, peer, localPort, bytes: Uint8Array.from(bytes), index: sent.length };
          sent.push(packet);
          const outcomes = script.udp?.(packet) ?? [];
          if ('code' in outcomes) throw outcomes;
          for (const outcome of outcomes) {
            schedule(outcome.afterMs, () => {
              if (!open.has(socket)) return;
              if ('bytes' in outcome) handlers.message(outcome.bytes, now);
              else handlers.error(outcome.error);
            });
          }
          return now;
        },
        close: () => void open.delete(socket),
      };
    },
    openSharedUdp: async (family, message) => {
      const refusal = script.openUdp?.(opened) ?? null;
      opened += 1;
      if (refusal) throw refusal;
      const socket = {};
      open.add(socket);
      const localPort = port;
      port += 1;
      return {
        local: { address: LOCAL_ADDRESS, port: localPort },
        receiveBuffer: 425_984,
        send: (bytes, to, address, failed) => {
          const peer = { address, port: to, family };
          const packet = { atMs: now, peer, localPort, bytes: Uint8Array.from(bytes), index: sent.length };
          sent.push(packet);
          const outcomes = script.udp?.(packet) ?? [];
          if ('code' in outcomes) return failed(outcomes);
          for (const outcome of outcomes) {
            schedule(outcome.afterMs, () => {
              // An unconnected socket hears of no ICMP error.
              if (open.has(socket) && 'bytes' in outcome) message(outcome.bytes, address, to, now);
            });
          }
        },
        close: () => void open.delete(socket),
      };
    },
    openStream: (peer, secure, handlers: StreamEvents) => {
      const connection = {};
      open.add(connection);
      connections.push({ peer, atMs: now });
      const local = { address: LOCAL_ADDRESS, port };
      port += 1;
      let tcpOpen = false;
      const play = (happenings: readonly Happening[]): void => {
        for (const happening of happenings) {
          schedule(happening.afterMs, () => {
            if (!open.has(connection)) return;
            if ('open' in happening) {
              tcpOpen = true;
              handlers.open(
                {
                  local,
                  ...happening.open,
                  write: (bytes) => play(script.written?.(Uint8Array.from(bytes), peer, local) ?? []),
                },
                now,
              );
            } else if ('bytes' in happening) handlers.data(happening.bytes, now);
            else {
              open.delete(connection);
              handlers.end(happening.end, happening.tcpOpen ?? tcpOpen);
            }
          });
        }
      };
      play(script.connect?.(peer, secure, connections.length - 1) ?? []);
      return () => void open.delete(connection);
    },
    sleep,
    pacer: createPacer(script.maxPps ?? 10_000, () => now, sleep),
    now: () => now,
    nowMicros: () => BigInt(Math.round(now * 1000)),
    random: (bytes) => {
      // A single octet is drawn for the jitter of a pause alone; without it times are round, and can be told in tests.
      if (bytes === 1) return Uint8Array.of(script.jitter ?? 0);
      const blocks = Array.from({ length: Math.ceil(bytes / 32) }, () => {
        drawn += 1;
        return createHash('sha256').update(String(drawn)).digest();
      });
      return Buffer.concat(blocks).subarray(0, bytes);
    },
    source: null,
    run: async (work) => {
      let settled = false;
      const watched = work.finally(() => {
        settled = true;
      });
      watched.catch(() => undefined);
      let idleSince: number | null = null;
      while (!settled) {
        // Everything that follows from the last event happens before the next one.
        await setImmediate();
        if (settled) break;
        const next = events.reduce<Event | null>(
          (first, event) =>
            first === null || event.atMs < first.atMs || (event.atMs === first.atMs && event.order < first.order)
              ? event
              : first,
          null,
        );
        // While modules are loading the code has neither timers nor sockets, and its clock has not begun.
        const loading = next?.external === true && timers === 0 && open.size === 0;
        if (next === null || loading) {
          idleSince ??= performance.now();
          if (performance.now() - idleSince > MAX_IDLE_MS) throw new Error(`standstill at ${now} ms`);
          continue;
        }
        idleSince = null;
        cancel(next);
        now = Math.max(now, next.atMs);
        next.fire();
      }
      return watched;
    },
  };
  return net;
};

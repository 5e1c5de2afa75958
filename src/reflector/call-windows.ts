/**
 * Windows in which the reflector is the other end of an agent's calls: opened over a connection, which shows whose address it
 * is, by a session that proved its token. There are few of them, they end when nobody asks for them any more, and what leaves
 * one has a ceiling.
 */
import type { Clock } from '../dialog/clock.js';
import { type CallIdentity, type CallQuery, type CallState, readCallUser } from '../wire/call.js';
import { formatIp, unmapIp } from '../wire/ip.js';
import type { Place } from './alternates.js';
import type { CallLine } from './call-line.js';
import { createBuckets } from './limits.js';
import { createShares, ownerOf } from './quotas.js';

/** A run opens one. */
const PER_PREFIX = { rate: 0.1, burst: 20 } as const;
const FOR_ALL = { rate: 5, burst: 100 } as const;
/**
 * All together; a token has its share. A window has eight lines, and each remembers 160 KiB of messages at most, 40 MiB in all, and
 * has eight calls at most.
 */
const MAX_WINDOWS = 32;
/** Without a question of its agent's a window ends; a call that rests is asked about now and then. */
export const WINDOW_IDLE_MS = 120_000;
/** The longest call that is rehearsed lasts 32 minutes. */
const MAX_LIFE_MS = 40 * 60_000;
/**
 * What one window may send in all: four minutes of a call's sound, and its signalling. An agent that holds a token can have as
 * much sent to its own address, and to no other.
 */
const MAX_PACKETS = 16_000;

export interface Asker {
  /** Names token and session. */
  readonly name: string;
  readonly sourceBytes: Uint8Array;
  readonly sourceAddress: string;
  /** The request came over TCP or TLS. */
  readonly overConnection: boolean;
  readonly identity: () => CallIdentity;
}

export interface Window {
  readonly name: string;
  /** The hexadecimal part that all its users share. */
  readonly key: string;
  readonly address: string;
  /** The same as the socket spells it. */
  spelt: string;
  readonly host: string;
  readonly identity: CallIdentity;
  readonly wantedPorts: readonly number[];
  readonly lines: Map<number, CallLine>;
  /** By `listener:port`, the lines whose sound goes there. */
  readonly media: Map<string, CallLine>;
  /** Of lines on which nothing came yet: how their calls are taken. */
  readonly manners: Map<number, number>;
  readonly openedAtMs: number;
  usedAtMs: number;
  packets: number;
  readonly cancel: () => void;
}

interface Windows {
  open(query: CallQuery, asker: Asker): CallState;
  /** The window of a session, which is used once more by being asked for; null where none is open. */
  of(name: string): Window | null;
  /** By the part that its users share. */
  byKey(key: string): Window | null;
  /** Whether a datagram from there can belong to one: the first look at every datagram. */
  knows(address: string): boolean;
  /** Those of an address, the latest first: an earlier one may not have ended yet. */
  at(address: string): readonly Window[];
  close(): void;
}

export const placeKey = ({ listener, port }: Place): string => `${listener}:${port}`;

/** Whether one more packet may leave it; counts it. */
export const mayLeave = (window: Window): boolean => {
  if (window.packets >= MAX_PACKETS) return false;
  window.packets += 1;
  return true;
};

const newWindow = (query: CallQuery, asker: Asker, nowMs: number, cancel: () => void): Window => {
  const { name, sourceAddress: address } = asker;
  const identity = asker.identity();
  return {
    ...{ name, address, identity, spelt: address, wantedPorts: query.ports, cancel },
    key: readCallUser(identity.user(0))?.window ?? '',
    host: formatIp(unmapIp(query.as)),
    ...{ lines: new Map(), media: new Map(), manners: new Map() },
    ...{ openedAtMs: nowMs, usedAtMs: nowMs, packets: 0 },
  };
};

export const createWindows = (clock: Clock): Windows => {
  const windows = new Map<string, Window>();
  const keys = new Map<string, Window>();
  /** How many windows an address has. */
  const addresses = new Map<string, number>();
  const shares = createShares(MAX_WINDOWS);
  const rate = createBuckets({ each: PER_PREFIX, all: FOR_ALL }, clock.now);

  const end = (window: Window): void => {
    if (!windows.delete(window.name)) return;
    keys.delete(window.key);
    window.cancel();
    for (const line of window.lines.values()) line.close();
    const left = (addresses.get(window.address) ?? 1) - 1;
    if (left > 0) addresses.set(window.address, left);
    else addresses.delete(window.address);
    shares.release(ownerOf(window.name));
  };

  /** Ends a window when nobody asked for it any more, or when it had its time. */
  const watch = (window: () => Window): (() => void) => {
    let stop: () => void = () => undefined;
    const look = (): void => {
      const one = window();
      const now = clock.now();
      if (now - one.usedAtMs >= WINDOW_IDLE_MS || now - one.openedAtMs >= MAX_LIFE_MS) end(one);
      else stop = clock.after(WINDOW_IDLE_MS / 4, look);
    };
    stop = clock.after(WINDOW_IDLE_MS / 4, look);
    return () => stop();
  };

  return {
    open: (query, asker) => {
      if (!asker.overConnection) return 'needs-connection';
      const known = windows.get(asker.name);
      if (known) {
        known.usedAtMs = clock.now();
        return known.address === asker.sourceAddress ? 'ok' : 'held-back';
      }
      if (!rate.allow(asker.sourceBytes) || !shares.take(ownerOf(asker.name))) return 'held-back';
      const window: Window = newWindow(
        query,
        asker,
        clock.now(),
        watch(() => window),
      );
      windows.set(window.name, window);
      keys.set(window.key, window);
      addresses.set(window.address, (addresses.get(window.address) ?? 0) + 1);
      return 'ok';
    },
    of: (name) => {
      const window = windows.get(name) ?? null;
      if (window) window.usedAtMs = clock.now();
      return window;
    },
    byKey: (key) => keys.get(key) ?? null,
    knows: (address) => addresses.has(address),
    at: (address) => [...windows.values()].reverse().filter((window) => window.address === address),
    close: () => {
      for (const window of [...windows.values()]) end(window);
    },
  };
};

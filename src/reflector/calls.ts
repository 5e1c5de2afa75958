/**
 * Calls: windows in which the reflector is the other end of an agent's calls. A window is opened over a connection, which shows
 * whose address it is, by a session that proved its token; from then on calls are taken from that address and made to it, and
 * to nobody else. What leaves a window has a ceiling, and there are few windows.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '../dialog/clock.js';
import { type CallIdentity, type CallQuery, type CallState, readCallUser, THE_RECORD } from '../wire/call.js';
import { formatIp, unmapIp } from '../wire/ip.js';
import { looksLikeRtp, RTP_HEADER_BYTES } from '../wire/rtp.js';
import { header, parseSip, type SipMessage } from '../wire/sip.js';
import { looksLikeSip } from '../wire/sip-demux.js';
import { readAddress } from '../wire/sip-parameters.js';
import { looksLikeTag } from '../wire/tag.js';
import type { Place } from './alternates.js';
import { type CallLine, createCallLine, type LineWay, userNamed } from './call-line.js';
import { createBuckets } from './limits.js';
import { createShares, ownerOf } from './quotas.js';
import type { Source } from './udp.js';

/** A run opens one. */
const PER_PREFIX = { rate: 0.1, burst: 20 } as const;
const FOR_ALL = { rate: 5, burst: 100 } as const;
/** All together; a token has its share. With eight lines of 160 KiB each, 40 MiB at most. */
const MAX_WINDOWS = 32;
/** Without a question of its agent's a window ends; a call that rests is asked about now and then. */
const IDLE_MS = 120_000;
/** The longest call that is rehearsed lasts 32 minutes. */
const MAX_LIFE_MS = 40 * 60_000;
/**
 * What one window may send in all: four minutes of a call's sound, and its signalling. An agent that holds a token can have as
 * much sent to its own address, and to no other.
 */
const MAX_PACKETS = 16_000;
/** Ports on which other protocols are expected: sound there would be looked at as those. */
const NOT_FOR_SOUND: ReadonlySet<number> = new Set([53, 80, 123, 443, 500, 3478, 3479, 4500, 5060, 5061]);

interface Asker {
  /** Names token and session. */
  readonly name: string;
  readonly sourceBytes: Uint8Array;
  readonly sourceAddress: string;
  /** The request came over TCP or TLS. */
  readonly overConnection: boolean;
  readonly identity: () => CallIdentity;
}

export interface CallAnswer {
  readonly state: CallState;
  /** Of what the agent wants a piece; null for nothing. */
  readonly whole: Uint8Array | null;
}

export interface Calls {
  answer(query: CallQuery, asker: Asker): CallAnswer;
  /**
   * Takes a datagram that belongs to a call; false leaves it to others.
   * @param address the source's, IPv4 unmapped; `from` is as the socket spells it
   */
  hear(bytes: Uint8Array, from: Source, address: string, place: Place): boolean;
  close(): void;
}

interface CallsRules {
  readonly clock: Clock;
  readonly send: (place: Place, bytes: Uint8Array, to: Source) => void;
  readonly places: () => readonly Place[];
}

interface Window {
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

const keyOf = ({ listener, port }: Place): string => `${listener}:${port}`;

/** Users that a message names, in the order in which they decide whose it is. */
const usersIn = (message: SipMessage): readonly (string | null)[] => {
  const uriOf = (name: string): string | null => readAddress(header(message, name) ?? '')?.uri ?? null;
  return [...(message.kind === 'request' ? [message.uri] : []), uriOf('to'), uriOf('from')];
};

export const createCalls = ({ clock, send, places }: CallsRules): Calls => {
  const windows = new Map<string, Window>();
  const byKey = new Map<string, Window>();
  /** How many windows an address has: the first look at every datagram. */
  const addresses = new Map<string, number>();
  const shares = createShares(MAX_WINDOWS);
  const rate = createBuckets({ each: PER_PREFIX, all: FOR_ALL }, clock.now);

  const end = (window: Window): void => {
    if (!windows.delete(window.name)) return;
    byKey.delete(window.key);
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
      if (now - one.usedAtMs >= IDLE_MS || now - one.openedAtMs >= MAX_LIFE_MS) end(one);
      else stop = clock.after(IDLE_MS / 4, look);
    };
    stop = clock.after(IDLE_MS / 4, look);
    return () => stop();
  };

  const open = (query: CallQuery, asker: Asker): CallState => {
    if (!asker.overConnection) return 'needs-connection';
    const known = windows.get(asker.name);
    if (known) {
      known.usedAtMs = clock.now();
      return known.address === asker.sourceAddress ? 'ok' : 'held-back';
    }
    if (!rate.allow(asker.sourceBytes) || !shares.take(ownerOf(asker.name))) return 'held-back';
    const identity = asker.identity();
    const key = readCallUser(identity.user(0))?.window ?? '';
    const window: Window = {
      ...{
        name: asker.name,
        key,
        address: asker.sourceAddress,
        spelt: asker.sourceAddress,
        identity,
        wantedPorts: query.ports,
      },
      host: formatIp(unmapIp(query.as)),
      ...{
        lines: new Map(),
        media: new Map(),
        manners: new Map(),
        openedAtMs: clock.now(),
        usedAtMs: clock.now(),
        packets: 0,
      },
      cancel: watch(() => window),
    };
    windows.set(asker.name, window);
    byKey.set(key, window);
    addresses.set(window.address, (addresses.get(window.address) ?? 0) + 1);
    return 'ok';
  };

  /** Sends to the address that proved the window, as long as its share lasts. */
  const put = (window: Window, place: Place, bytes: Uint8Array, port: number): void => {
    if (window.packets >= MAX_PACKETS) return;
    window.packets += 1;
    send(place, bytes, { address: window.spelt, port });
  };

  /** The port that the agent knows to pass, else any that is free. */
  const mediaPlace = (window: Window, number: number, listener: number): Place | null => {
    const free = places().filter(
      (place) => place.listener === listener && !NOT_FOR_SOUND.has(place.port) && !window.media.has(keyOf(place)),
    );
    const wanted = free.find(({ port }) => port === window.wantedPorts[number]);
    return wanted ?? (free.length === 0 ? null : (free[randomInt(free.length)] ?? null));
  };

  const lineOf = (window: Window, number: number, place: Place): CallLine => {
    const known = window.lines.get(number);
    if (known) return known;
    const at = mediaPlace(window, number, place.listener);
    const line = createCallLine({
      clock,
      user: window.identity.user(number),
      password: window.identity.password,
      host: window.host,
      proven: window.address,
      mediaPort: at?.port ?? null,
      speak: (bytes, to) => {
        if (at) put(window, at, bytes, to.port);
      },
    });
    window.lines.set(number, line);
    line.order('manner', -1, 0, window.manners.get(number) ?? 0);
    if (at) window.media.set(keyOf(at), line);
    return line;
  };

  const answer: Calls['answer'] = (query, asker) => {
    if (query.action === 'open') return { state: open(query, asker), whole: null };
    const window = windows.get(asker.name);
    if (!window) return { state: 'not-open', whole: null };
    window.usedAtMs = clock.now();
    const line = window.lines.get(query.line);
    if (query.action === 'do') {
      if (query.order === 'manner' && !line) {
        // The line is made with its first message.
        window.manners.set(query.line, query.argument);
        return { state: 'ok', whole: null };
      }
      const state = query.order && line?.order(query.order, query.number, query.afterMs, query.argument);
      return { state: state ?? 'nothing', whole: null };
    }
    if (!line) return { state: 'nothing', whole: null };
    const whole = query.index === THE_RECORD ? line.record() : (line.phone.messages[query.index]?.bytes ?? null);
    return { state: whole ? 'ok' : 'nothing', whole };
  };

  const hearSip = (bytes: Uint8Array, from: Source, address: string, place: Place): boolean => {
    const parsed = parseSip(bytes);
    if (!parsed.ok) return false;
    const isOurs = (user: string): boolean => byKey.has(readCallUser(user)?.window ?? '');
    const named = readCallUser(userNamed(usersIn(parsed.value), isOurs) ?? '');
    const window = named && byKey.get(named.window);
    // Somebody else's address is somebody else, whatever name he gives.
    if (!window || window.address !== address) return false;
    window.spelt = from.address;
    const way: LineWay = {
      ...{ transport: 'UDP', port: place.port, from },
      send: (answered) => put(window, place, answered, from.port),
    };
    lineOf(window, named.line, place).hear(bytes, way);
    return true;
  };

  return {
    answer,
    hear: (bytes, from, address, place) => {
      if (!addresses.has(address)) return false;
      if (looksLikeSip(bytes)) return hearSip(bytes, from, address, place);
      // What carries a tag is a question of its own, and is answered as ever.
      if (!looksLikeRtp(bytes) || looksLikeTag(bytes.subarray(RTP_HEADER_BYTES))) return false;
      const key = keyOf(place);
      // The latest first: an earlier one of the same address may not have ended yet.
      for (const window of [...windows.values()].reverse()) {
        const line = window.address === address ? window.media.get(key) : undefined;
        if (line?.hearSound(bytes, from)) return true;
      }
      return false;
    },
    close: () => {
      for (const window of [...windows.values()]) end(window);
    },
  };
};

/**
 * Calls: the reflector is the other end of an agent's calls. In a window that an agent opened, calls are taken from its address
 * and made to it, and to nobody else.
 */
import { randomInt } from 'node:crypto';
import type { Clock } from '../dialog/clock.js';
import { type CallQuery, type CallState, readCallUser, THE_RECORD } from '../wire/call.js';
import { looksLikeRtp, RTP_HEADER_BYTES } from '../wire/rtp.js';
import { header, parseSip, type SipMessage } from '../wire/sip.js';
import { looksLikeSip } from '../wire/sip-demux.js';
import { readAddress } from '../wire/sip-parameters.js';
import { looksLikeTag } from '../wire/tag.js';
import type { Place } from './alternates.js';
import { type CallLine, createCallLine, type LineWay, userNamed } from './call-line.js';
import { type Asker, createWindows, mayLeave, placeKey, type Window } from './call-windows.js';
import { ownerOf } from './quotas.js';
import type { Source } from './udp.js';

/** Ports on which other protocols are expected: sound there would be looked at as those. */
const NOT_FOR_SOUND: ReadonlySet<number> = new Set([53, 80, 123, 443, 500, 3478, 3479, 4500, 5060, 5061]);

export interface CallAnswer {
  readonly state: CallState;
  /** Of what the agent wants a piece; null for nothing. */
  readonly whole: Uint8Array | null;
}

/** A connection over which SIP came. */
interface CallConnection {
  readonly transport: 'TCP' | 'TLS';
  /** IPv4 unmapped. */
  readonly from: Source;
  /** Of ours, to which it was made. */
  readonly port: number;
  readonly localAddress: string | null;
  send(bytes: Uint8Array): void;
}

export interface Calls {
  answer(query: CallQuery, asker: Asker): CallAnswer;
  /**
   * Takes a datagram that belongs to a call; false leaves it to others.
   * @param address the source's, IPv4 unmapped; `from` is as the socket spells it
   */
  hear(bytes: Uint8Array, from: Source, address: string, place: Place): boolean;
  /** Takes a message of a connection that belongs to a call: whose token opened its window; null leaves it to others. */
  hearConnection(bytes: Uint8Array, message: SipMessage, connection: CallConnection): string | null;
  close(): void;
}

interface CallsRules {
  readonly clock: Clock;
  /** Runs what may be defective; what runs later has nobody else to see to it. */
  readonly guarded: <T>(work: () => T, otherwise: T) => T;
  readonly send: (place: Place, bytes: Uint8Array, to: Source) => void;
  readonly places: () => readonly Place[];
  /** The listener to which a connection to this address of ours belongs. */
  readonly listenerOf: (localAddress: string | null) => number;
}

/** Users that a message names, in the order in which they decide whose it is. */
const usersIn = (message: SipMessage): readonly (string | null)[] => {
  const uriOf = (name: string): string | null => readAddress(header(message, name) ?? '')?.uri ?? null;
  return [...(message.kind === 'request' ? [message.uri] : []), uriOf('to'), uriOf('from')];
};

/** A window's lines: each is made with its first message. */
const createLines = ({ clock, guarded, send, places }: CallsRules) => {
  const failed = (error: unknown): void =>
    guarded(() => {
      throw error;
    }, undefined);
  /** The port that the agent knows to pass, else any that is free. */
  const mediaPlace = (window: Window, number: number, listener: number): Place | null => {
    const free = places().filter(
      (place) => place.listener === listener && !NOT_FOR_SOUND.has(place.port) && !window.media.has(placeKey(place)),
    );
    const wanted = free.find(({ port }) => port === window.wantedPorts[number]);
    return wanted ?? (free.length === 0 ? null : (free[randomInt(free.length)] ?? null));
  };
  return (window: Window, number: number, listener: number): CallLine => {
    const known = window.lines.get(number);
    if (known) return known;
    const at = mediaPlace(window, number, listener);
    const line = createCallLine({
      clock,
      user: window.identity.user(number),
      password: window.identity.password,
      host: window.host,
      proven: window.address,
      mediaPort: at?.port ?? null,
      failed,
      speak: (bytes, to) => {
        if (at && mayLeave(window)) send(at, bytes, { address: window.spelt, port: to.port });
      },
    });
    window.lines.set(number, line);
    line.order('manner', -1, 0, window.manners.get(number) ?? 0);
    if (at) window.media.set(placeKey(at), line);
    return line;
  };
};

/** The same time, in which a defect costs what was to be done then. */
const guardedClock = ({ clock: { now, after }, guarded }: Pick<CallsRules, 'clock' | 'guarded'>): Clock => ({
  now,
  after: (ms, run) => after(ms, () => guarded(run, undefined)),
});

export const createCalls = (rules: CallsRules): Calls => {
  const { send } = rules;
  const clock = guardedClock(rules);
  const windows = createWindows(clock);
  const lineOf = createLines({ ...rules, clock });

  const answer: Calls['answer'] = (query, asker) => {
    if (query.action === 'open') return { state: windows.open(query, asker), whole: null };
    const window = windows.of(asker.name);
    if (!window) return { state: 'not-open', whole: null };
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

  /** Whose message it is; null for anybody's whose address opened no window under this name. */
  const addressee = (message: SipMessage, address: string): { window: Window; number: number } | null => {
    const isOurs = (user: string): boolean => windows.byKey(readCallUser(user)?.window ?? '') !== null;
    const named = readCallUser(userNamed(usersIn(message), isOurs) ?? '');
    const window = named && windows.byKey(named.window);
    // Somebody else's address is somebody else, whatever name he gives.
    return named && window && window.address === address ? { window, number: named.line } : null;
  };

  /** What names no window of its address is a stranger's, and is not read any further: strangers have limits of their own. */
  const namesWindow = (bytes: Uint8Array, address: string): boolean => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return windows.at(address).some(({ key }) => text.includes(key, 0, 'latin1'));
  };

  const hearSip = (bytes: Uint8Array, from: Source, address: string, place: Place): boolean => {
    if (!namesWindow(bytes, address)) return false;
    const parsed = parseSip(bytes);
    const whose = parsed.ok ? addressee(parsed.value, address) : null;
    if (!whose) return false;
    const { window, number } = whose;
    window.spelt = from.address;
    const way: LineWay = {
      ...{ transport: 'UDP', port: place.port, from },
      send: (answered) => {
        if (mayLeave(window)) send(place, answered, { address: window.spelt, port: from.port });
      },
    };
    lineOf(window, number, place.listener).hear(bytes, way);
    return true;
  };

  return {
    answer,
    hear: (bytes, from, address, place) => {
      if (!windows.knows(address)) return false;
      if (looksLikeSip(bytes)) return hearSip(bytes, from, address, place);
      // What carries a tag is a question of its own, and is answered as ever.
      if (!looksLikeRtp(bytes) || looksLikeTag(bytes.subarray(RTP_HEADER_BYTES))) return false;
      const key = placeKey(place);
      return windows.at(address).some((window) => window.media.get(key)?.hearSound(bytes, from) === true);
    },
    hearConnection: (bytes, message, { transport, from, port, localAddress, send: write }) => {
      const whose = windows.knows(from.address) ? addressee(message, from.address) : null;
      if (!whose) return null;
      const { window, number } = whose;
      lineOf(window, number, rules.listenerOf(localAddress)).hear(bytes, {
        ...{ transport, port, from },
        send: (answered) => {
          if (mayLeave(window)) write(answered);
        },
      });
      return ownerOf(window.name);
    },
    close: windows.close,
  };
};

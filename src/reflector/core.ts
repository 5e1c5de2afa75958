/** One process of the reflector: its sockets, its memory, and what it shares with the other processes, if there are any. */
import { randomBytes } from 'node:crypto';
import { realClock } from '../dialog/clock.js';
import type { ReflectorInfo } from '../model/far-end.js';
import type { NamedToken } from '../model/token.js';
import { encodeInfo, spansOf } from '../wire/info.js';
import { createAlternates, type Listener, type Place } from './alternates.js';
import { createAuthority } from './authority.js';
import { type Calls, createCalls } from './calls.js';
import { createEvidenceBook } from './captures.js';
import { type Credentials, secureContextOf } from './certificate.js';
import { answerDatagram, type DatagramRules } from './datagrams.js';
import { createDeferrals } from './deferrals.js';
import { dial } from './dial.js';
import type { Arrival, Host } from './exchange.js';
import { createInbound } from './inbound.js';
import { createLateness } from './lateness.js';
import { createKeepaliveBook, createLimiter, createRefusalBook } from './limits.js';
import type { Counters } from './metrics.js';
import { createOverruns } from './overruns.js';
import type { SharedRecord } from './record-batch.js';
import { createSessions } from './sessions.js';
import { createSources } from './sources.js';
import { createStrangers } from './strangers.js';
import { createConversation } from './streams.js';
import { createTcpSide } from './tcp.js';
import { createUdpSide, type Source } from './udp.js';
import { createUnreadable } from './unreadable.js';
import { createWallClock } from './wall-clock.js';
import type { Lately } from './worker-messages.js';

export interface CoreOptions {
  readonly listeners: readonly Listener[];
  readonly tokens: readonly NamedToken[];
  readonly credentials: Credentials;
  readonly version: string;
  /** The same in all processes, so that they know each other's sources. */
  readonly hashSeed: number;
  /** Whether agents may have ports of their own address tried from here; they may not if left out. */
  readonly inbound?: boolean;
  readonly warn: (message: string) => void;
  /** Absent where one process does everything. */
  readonly siblings?: Siblings | undefined;
}

/** The other processes, as this one sees them. */
export interface Siblings {
  /** Told of every arrival, and of what else the others have to know. */
  readonly tell: (record: SharedRecord) => void;
  /** Resolves when what the others have seen so far is known here; false where one did not tell in time. */
  readonly consult: () => Promise<boolean>;
  readonly sendFrom: (place: Place, bytes: Uint8Array, to: Source) => boolean;
  readonly isBound: (place: Place) => boolean;
  /** What they last said of themselves, all together. */
  readonly lately: () => Lately;
}

export interface Core {
  bindUdp(place: Place): Promise<void>;
  bindTcp(place: Place): Promise<void>;
  /** Takes in what another process saw. */
  merge(record: SharedRecord): void;
  lately(): Lately;
  udpPlaces(): readonly Place[];
  tcpPorts(): readonly number[];
  isBound(place: Place): boolean;
  sendFrom(place: Place, bytes: Uint8Array, to: Source): boolean;
  setInfo(info: ReflectorInfo): void;
  setTokens(tokens: readonly NamedToken[]): void;
  setCredentials(credentials: Credentials): void;
  counters(): Counters;
  close(): Promise<void>;
}

/** A process that cannot tell what it saw in this time is not waited for: its work is as late as that, and what it alone saw is not known. */
export const TELLS_WITHIN_MS = 1000;
/** How long between two warnings of the same kind, so that whoever provokes one cannot fill a disk. */
const DEFECT_TOLD_EVERY_MS = 60_000;

/** Less is NTP, which nobody has to be told of. */
const CLOCK_SET_MS = 1000;

const nowMicros = createWallClock();

/** A start for the hash of sources that nobody outside can know. */
export const newHashSeed = (): number => randomBytes(4).readUInt32BE(0);

/** A process without sockets yet. */
export const createCore = (options: CoreOptions): Core => {
  const { warn, siblings } = options;
  const startedAt = performance.now();
  const authority = createAuthority(options.tokens);
  const sessions = createSessions(options.hashSeed, siblings?.tell, () => performance.now() - startedAt);
  const limiter = createLimiter();
  const keepalives = createKeepaliveBook();
  const sourceOf = createSources();
  const refusals = createRefusalBook();
  const strangers = createStrangers(limiter, undefined, (address) => siblings?.tell({ say: 'proved', address }));
  const unreadable = createUnreadable(strangers.isKnown, undefined, (address, port) =>
    siblings?.tell({ say: 'unreadable', address, port }),
  );
  const lateness = createLateness();
  const udpPorts = new Set<number>();
  const overruns = createOverruns(udpPorts);
  const deferrals = createDeferrals();
  const inbound = options.inbound === true ? createInbound({ dial }) : null;
  // A call's signalling, sound and questions come to different ports, which have to be of one process.
  const calls: Calls | null = siblings
    ? null
    : createCalls({
        clock: realClock,
        send: (place, bytes, to) => void udp.send(place, bytes, to),
        places: () => udp.places(),
      });
  const counts = { datagrams: 0, answers: 0, connections: 0, refusedConnections: 0 };
  let context = secureContextOf(options.credentials);
  let info: ReflectorInfo = { version: options.version, udp: [], tcp: [], certificateSha256: null };
  let plainInfo = encodeInfo(info);
  /** By a clock that may be set after the start, as on a host that wakes up in another year. */
  const startedAtMs = (): number => Math.round(Number(nowMicros()) / 1000 - (performance.now() - startedAt));
  const dated = (told: ReflectorInfo): ReflectorInfo => {
    const now = startedAtMs();
    return Math.abs(now - (told.startedAtMs ?? 0)) < CLOCK_SET_MS ? told : { ...told, startedAtMs: now };
  };
  let isReady = false;
  let toldAt = Number.NEGATIVE_INFINITY;

  const lately = (): Lately => ({ lateMs: lateness.worstMs(), overruns: overruns.recent() });

  const host: Host = {
    authority,
    nowMicros,
    keepalives: keepalives.count,
    info: (asker, room, isPartlyBlind) => {
      const now = dated(info);
      if (now !== info) {
        info = now;
        plainInfo = encodeInfo(now);
      }
      const [here, there] = [lately(), siblings?.lately()];
      const dropped = [...here.overruns, ...(there?.overruns ?? [])];
      const lateMs = Math.max(here.lateMs, there?.lateMs ?? 0, isPartlyBlind ? TELLS_WITHIN_MS : 0);
      const changed = unreadable.at(asker);
      const isWell = dropped.length === 0 && lateMs === 0 && changed.length === 0;
      if (isWell && plainInfo.length <= room) return plainInfo;
      const told = {
        ...info,
        ...(dropped.length > 0 && { overruns: spansOf(dropped) }),
        ...(changed.length > 0 && { unreadable: changed }),
        ...(lateMs > 0 && { lateMs }),
      };
      return encodeInfo(told, room);
    },
    sessions,
    evidence: createEvidenceBook(),
    refused: refusals.count,
    version: options.version,
    inbound,
    calls,
  };
  const rules: DatagramRules = {
    host,
    limiter,
    sawKeepalive: keepalives.saw,
    proved: strangers.proved,
    sawUnreadable: unreadable.saw,
  };

  /** A defect in one responder costs one answer and a warning now and then, and never the process. */
  const guarded = <T>(respond: () => T, otherwise: T): T => {
    try {
      return sessions.during(respond);
    } catch (error) {
      const now = performance.now();
      if (now - toldAt > DEFECT_TOLD_EVERY_MS) {
        warn(`a defect in callpath, please report it: ${(error as Error)?.stack ?? error}`);
        toldAt = now;
      }
      return otherwise;
    }
  };

  const arrivalOf = (
    source: Source,
    localPort: number,
    binding: Uint8Array | null,
    surroundings: Arrival['surroundings'],
    localAddress: string | null = null,
  ): Arrival | null => {
    const from = sourceOf(source.address);
    return (
      from && {
        sourceBytes: from.bytes,
        sourceAddress: from.text,
        sourcePort: source.port,
        localPort,
        localAddress: localAddress === null ? null : (sourceOf(localAddress)?.text ?? null),
        receivedAtMicros: nowMicros(),
        binding,
        surroundings,
      }
    );
  };

  const defer = (arrival: Arrival, owner: string, afterMs: number, send: () => void): boolean => {
    const accepted = deferrals.add(arrival.sourceBytes, owner, afterMs, send);
    if (!accepted) refusals.refuse(arrival.sourceBytes);
    return accepted;
  };

  const udp = createUdpSide({
    listeners: options.listeners,
    surroundingsOf: createAlternates(
      options.listeners,
      (place) => udp.isBound(place) || siblings?.isBound(place) === true,
    ),
    arrivalOf: (source, place, surroundings) => arrivalOf(source, place.port, null, surroundings),
    hear: calls
      ? (message, from, address, place) => guarded(() => calls.hear(message, from, address, place), true)
      : undefined,
    respond: (message, arrival) => guarded(() => answerDatagram(message, arrival, rules), null),
    consult: siblings?.consult,
    defer,
    sendElsewhere: siblings?.sendFrom ?? (() => false),
    failed: ({ of }) => {
      if (of) sessions.unanswered(of, 'busy');
    },
    counted: (what) => {
      counts[what] += 1;
    },
    warn,
  });
  const tcp = createTcpSide({
    listeners: options.listeners,
    secureContext: () => context,
    arrivalOf: (source, port, binding, localAddress) => arrivalOf(source, port, binding, null, localAddress),
    createConversation: () => createConversation(host),
    strangers,
    consult: siblings?.consult,
    guarded,
    defer,
    failed: (request) => sessions.unanswered(request, 'busy'),
    refused: (source) => {
      counts.refusedConnections += 1;
      refusals.refuse(source);
    },
    counted: (what) => {
      counts[what] += 1;
    },
    warn,
  });

  return {
    bindUdp: (place) => {
      udpPorts.add(place.port);
      return udp.bind(place);
    },
    bindTcp: tcp.bind,
    merge: (record) => {
      if (record.say === 'proved') strangers.heard(record.address);
      else if (record.say === 'unreadable') unreadable.heard(record.address, record.port);
      else sessions.merge(record);
    },
    lately,
    udpPlaces: udp.places,
    tcpPorts: tcp.ports,
    isBound: udp.isBound,
    sendFrom: udp.send,
    setInfo: (next) => {
      // The first is said when all is bound.
      if (!isReady) lateness.begin();
      isReady = true;
      info = dated(next);
      plainInfo = encodeInfo(info);
    },
    setTokens: authority.replace,
    setCredentials: (next) => {
      context = secureContextOf(next);
    },
    counters: () => ({
      ...counts,
      heldBack: limiter.heldBack(),
      overruns: overruns.total(),
      lateMs: lateness.totalMs(),
      worstLateMs: lateness.worstMs(),
      openConnections: tcp.openConnections(),
      sessions: sessions.size(),
      admitted: [...authority.admitted()],
    }),
    close: async () => {
      deferrals.close();
      inbound?.close();
      calls?.close();
      overruns.close();
      lateness.close();
      await Promise.all([udp.close(), tcp.close()]);
    },
  };
};

/** One process of the reflector: its sockets, its memory, and what it shares with the other processes, if there are any. */
import { randomBytes } from 'node:crypto';
import { realClock } from '../dialog/clock.js';
import type { ReflectorInfo } from '../model/far-end.js';
import type { NamedToken } from '../model/token.js';
import { createAlternates, type Listener, type Place } from './alternates.js';
import { createAuthority } from './authority.js';
import { type Calls, createCalls } from './calls.js';
import { createEvidenceBook } from './captures.js';
import { type Credentials, secureContextOf } from './certificate.js';
import { answerDatagram, type DatagramRules } from './datagrams.js';
import { createDeferrals } from './deferrals.js';
import { dial } from './dial.js';
import type { Arrival, Host } from './exchange.js';
import { createGuard } from './guard.js';
import { createInbound } from './inbound.js';
import { createLateness } from './lateness.js';
import { createKeepaliveBook, createLimiter, createRefusalBook } from './limits.js';
import type { Counters } from './metrics.js';
import { createOverruns } from './overruns.js';
import type { SharedRecord } from './record-batch.js';
import { createSelfReport } from './self-report.js';
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
  /** Whether it is the other end of agents' calls; it is if left out. */
  readonly calls?: boolean;
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

const nowMicros = createWallClock();

/** The listener of connections to an address of ours: its own, or one that stands for every address of its family. */
const listenerOf = (address: string | null, listeners: readonly Listener[]): number => {
  const wildcards = address?.includes(':') ? ['::'] : ['0.0.0.0', '::'];
  const at = [address, ...wildcards].map((one) => listeners.findIndex((listener) => listener.address === one));
  return at.find((index) => index !== -1) ?? 0;
};

/** An address as this listener's sockets spell it: one that takes both families writes IPv4 mapped (RFC 4291 §2.5.5.2). */
const spelt = (address: string, { listener }: Place, listeners: readonly Listener[]): string =>
  !address.includes(':') && listeners[listener]?.address.includes(':') ? `::ffff:${address}` : address;

/** Calls whose datagrams leave from these sockets. */
const callsOver = (
  udp: () => ReturnType<typeof createUdpSide>,
  listeners: readonly Listener[],
  guarded: ReturnType<typeof createGuard>,
): Calls =>
  createCalls({
    clock: realClock,
    guarded,
    send: (place, bytes, { address, port }) =>
      void udp().send(place, bytes, { address: spelt(address, place, listeners), port }),
    places: () => udp().places(),
    listenerOf: (address) => listenerOf(address, listeners),
  });

/** A start for the hash of sources that nobody outside can know. */
export const newHashSeed = (): number => randomBytes(4).readUInt32BE(0);

type ArrivalOf = (
  source: Source,
  localPort: number,
  binding: Uint8Array | null,
  surroundings: Arrival['surroundings'],
  localAddress?: string | null,
) => Arrival | null;

/** Dates and names what arrives; null for an address that cannot be read. */
const createArrivals = (): ArrivalOf => {
  const sourceOf = createSources();
  return (source, localPort, binding, surroundings, localAddress = null) => {
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
};

/** What a process remembers of who asks, and of itself. */
const createBooks = ({ tokens, hashSeed, siblings, inbound }: CoreOptions, startedAt: number) => {
  const limiter = createLimiter();
  const strangers = createStrangers(limiter, undefined, (address) => siblings?.tell({ say: 'proved', address }));
  const udpPorts = new Set<number>();
  return {
    ...{ limiter, strangers, udpPorts },
    authority: createAuthority(tokens),
    sessions: createSessions(hashSeed, siblings?.tell, () => performance.now() - startedAt),
    keepalives: createKeepaliveBook(),
    refusals: createRefusalBook(),
    unreadable: createUnreadable(strangers.isKnown, undefined, (address, port) =>
      siblings?.tell({ say: 'unreadable', address, port }),
    ),
    lateness: createLateness(),
    overruns: createOverruns(udpPorts),
    deferrals: createDeferrals(),
    inbound: inbound === true ? createInbound({ dial }) : null,
    arrivalOf: createArrivals(),
  };
};

type Books = ReturnType<typeof createBooks>;

/** What the responders are given to answer with. */
const rulesOf = (books: Books, rest: Pick<Host, 'info' | 'version' | 'calls'>): DatagramRules => {
  const { authority, sessions, limiter, keepalives, refusals, strangers, unreadable, inbound } = books;
  return {
    host: {
      ...{ authority, nowMicros, sessions, inbound, ...rest },
      keepalives: keepalives.count,
      refused: refusals.count,
      evidence: createEvidenceBook(),
    },
    limiter,
    sawKeepalive: keepalives.saw,
    proved: strangers.proved,
    sawUnreadable: unreadable.saw,
  };
};

/** A process without sockets yet. */
export const createCore = (options: CoreOptions): Core => {
  const { warn, siblings } = options;
  const startedAt = performance.now();
  const books = createBooks(options, startedAt);
  const { authority, sessions, limiter, refusals, strangers, unreadable, lateness } = books;
  const { udpPorts, overruns, deferrals, inbound, arrivalOf } = books;
  const guarded = createGuard(warn, sessions.during);
  // A call's signalling, sound and questions come to different ports, which have to be of one process.
  const calls = siblings || options.calls === false ? null : callsOver(() => udp, options.listeners, guarded);
  const counts = { datagrams: 0, answers: 0, connections: 0, refusedConnections: 0 };
  const counted = (what: keyof typeof counts): void => {
    counts[what] += 1;
  };
  let context = secureContextOf(options.credentials);
  let isReady = false;

  const lately = (): Lately => ({ lateMs: lateness.worstMs(), overruns: overruns.recent() });
  const self = createSelfReport({
    version: options.version,
    startedAtMs: () => Math.round(Number(nowMicros()) / 1000 - (performance.now() - startedAt)),
    lately: () => (siblings ? [lately(), siblings.lately()] : [lately()]),
    unreadableAt: unreadable.at,
  });

  const rules = rulesOf(books, { info: self.info, version: options.version, calls });
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
    counted,
    warn,
  });
  const tcp = createTcpSide({
    listeners: options.listeners,
    secureContext: () => context,
    arrivalOf: (source, port, binding, localAddress) => arrivalOf(source, port, binding, null, localAddress),
    createConversation: (write) => createConversation(rules.host, write),
    strangers,
    consult: siblings?.consult,
    guarded,
    defer,
    failed: (request) => sessions.unanswered(request, 'busy'),
    refused: (source) => {
      counted('refusedConnections');
      refusals.refuse(source);
    },
    counted,
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
      self.set(next);
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

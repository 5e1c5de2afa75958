/** The reflector's TCP ports, each of which speaks TLS as well: connections, how many and for how long. */
import { createServer, type Server, type Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type Clock, realClock } from '../dialog/clock.js';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../net/stream.js';
import type { Place } from './alternates.js';
import { WINDOW_IDLE_MS } from './call-windows.js';
import type { Arrival } from './exchange.js';
import { prefixOf } from './limits.js';
import { createShares, type Shares } from './quotas.js';
import type { RequestName } from './sessions.js';
import type { Strangers } from './strangers.js';
import { type Conversation, HANG_UP } from './streams.js';
import { createTurns } from './turns.js';
import type { Source } from './udp.js';

/** A probe's connection lasts seconds. Only answers count as life: bytes that never complete a message do not. */
const UNANSWERED_MS = 15_000;
/** How long our last word may take to arrive. */
const LINGER_MS = 2000;
/** The body of a request whose head was answered, which a client may send to its end before it reads. */
const MAX_AFTER_END = 4 * 1024 * 1024;
/** The same of who has shown no token: one read, because to go on reading costs what agents wait for. */
const MAX_AFTER_STRANGERS_END = 64 * 1024;
/** All connections together, so that holding them open exhausts no descriptors. */
const MAX_CONNECTIONS = 2000;
/** Several agents behind one address, each with all its questions at once; and one network cannot take them all. */
const MAX_CONNECTIONS_PER_PREFIX = 500;
/** Of a call's messages, to who does not read them; what goes beyond is lost, as on any line. */
const MAX_UNREAD = 64 * 1024;
/** First byte of a TLS record that opens a handshake (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

interface TcpRules {
  /** By which connections end; this host's if left out. */
  readonly clock?: Clock;
  readonly listeners: readonly { readonly address: string }[];
  readonly secureContext: () => SecureContext;
  readonly arrivalOf: (
    source: Source,
    port: number,
    binding: Uint8Array | null,
    localAddress: string | null,
  ) => Arrival | null;
  readonly createConversation: (write: (bytes: Uint8Array) => void) => Conversation;
  readonly strangers: Strangers;
  /** Resolves when what other processes saw is known here, with whether all have told; absent where there are none. */
  readonly consult?: (() => Promise<boolean>) | undefined;
  readonly guarded: <T>(respond: () => T, otherwise: T) => T;
  readonly defer: (arrival: Arrival, owner: string, afterMs: number, send: () => void) => boolean;
  /** An answer could not be given after all. */
  readonly failed: (request: RequestName) => void;
  /** A connection was cut off because of a ceiling. */
  readonly refused: (source: Uint8Array) => void;
  readonly counted: (what: 'connections') => void;
  readonly warn: (message: string) => void;
}

interface TcpSide {
  bind(place: Place): Promise<void>;
  ports(): readonly number[];
  openConnections(): number;
  close(): Promise<void>;
}

interface Guest {
  readonly prefix: string;
  readonly source: Uint8Array;
  /** It has shown a token. */
  proven: boolean;
  /** Whose place it has, so that it is not cut off for the sake of a newcomer; null where its token has its share already. */
  keptFor: string | null;
}

/** Writes as long as the socket takes anything. */
const writerTo =
  (socket: Socket) =>
  (bytes: Uint8Array | null): void => {
    if (bytes && !socket.destroyed && !socket.writableEnded) socket.write(bytes);
  };

/** The same for what nobody asked for just now. */
const unaskedTo =
  (socket: Socket) =>
  (bytes: Uint8Array): void => {
    if (socket.writableLength < MAX_UNREAD) writerTo(socket)(bytes);
  };

/** Ends a connection after fifteen seconds, or so long after the latest call of what is returned. */
const deadlineOf = (socket: Socket, clock: Clock): ((ms: number) => void) => {
  const end = (): void => void socket.destroy();
  let cancel = clock.after(UNANSWERED_MS, end);
  socket.on('close', () => cancel());
  return (ms) => {
    cancel();
    cancel = clock.after(ms, end);
  };
};

export const createTcpSide = (rules: TcpRules): TcpSide => {
  const { clock = realClock } = rules;
  const servers: Server[] = [];
  const ports = new Set<number>();
  const guests = new Map<Socket, Guest>();
  const byPrefix = new Map<string, number>();
  const turns = createTurns();
  const places = createShares(MAX_CONNECTIONS);
  const placesOf = new Map<string, Shares>();

  /** A token's connections are kept as far as its share goes, of all places and of those of the network. */
  const prove = (guest: Guest, owner: string): void => {
    if (guest.proven) return;
    guest.proven = true;
    const here = placesOf.get(guest.prefix) ?? createShares(MAX_CONNECTIONS_PER_PREFIX);
    placesOf.set(guest.prefix, here);
    if (!here.take(owner)) return;
    if (places.take(owner)) guest.keptFor = owner;
    else here.release(owner);
  };

  const converse = (socket: Socket | TLSSocket, guest: Guest, port: number, leaveIn: (ms: number) => void): void => {
    const write = writerTo(socket);
    const conversation = rules.createConversation(unaskedTo(socket));
    const { consult } = rules;
    const binding =
      socket instanceof TLSSocket ? socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)) : null;
    let belongsToCall = false;
    /** A phone's keepalive does not shorten the rest that a call may have. */
    const stayFor = (ms: number): void => leaveIn(belongsToCall ? Math.max(ms, WINDOW_IDLE_MS) : ms);
    /** Beyond what its network may have; it is told when it comes back with a token. */
    const tooMuch = (): void => cutOff(socket, guest.source);
    const listen = (chunk: Buffer): void => {
      const source = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
      const arrival = rules.arrivalOf(source, port, binding, socket.localAddress ?? null);
      if (!arrival) return void socket.destroy();
      const { send, close, excess, inCall } = rules.guarded(() => conversation.push(chunk, arrival), HANG_UP);
      belongsToCall ||= inCall === true;
      if (inCall) stayFor(WINDOW_IDLE_MS);
      if (inCall || send.some(({ proven }) => proven)) {
        prove(guest, conversation.owner() ?? '');
        rules.strangers.proved(arrival.sourceAddress);
      }
      if (!guest.proven && !send.every(() => rules.strangers.mayBeAnswered(guest.source))) return void tooMuch();
      if (excess) {
        // What it asked with a token before that is told as left unanswered.
        for (const { of } of send) if (of) rules.failed(of);
        return void tooMuch();
      }
      let waiting = 0;
      const end = (): void => {
        if (!close || waiting > 0 || socket.writableEnded) return;
        socket.end();
        leaveIn(LINGER_MS);
      };
      for (const { bytes, afterMs, informed, of } of send) {
        stayFor(afterMs + UNANSWERED_MS);
        const later = (content: Uint8Array | null): void => {
          waiting -= 1;
          write(content);
          end();
        };
        if (informed && consult) {
          waiting += 1;
          // What comes meanwhile waits in the socket.
          socket.pause();
          void consult().then((haveAllTold) => {
            socket.resume();
            later(rules.guarded(() => informed(haveAllTold), null));
          });
        } else if (afterMs === 0) write(bytes);
        else if (rules.defer(arrival, conversation.owner() ?? '', afterMs, () => later(bytes))) waiting += 1;
        else if (of) rules.failed(of);
      }
      if (close) end();
      else if (socket.writableNeedDrain) {
        // Who asks and does not read is not listened to until it reads, so that answers cannot pile up here.
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    };
    let bytesAfter = 0;
    socket.on('data', (chunk: Buffer) => {
      if (socket.writableEnded) {
        // Closed at once, the connection would take our last word with it; and whoever goes on talking is not listened to.
        bytesAfter += chunk.length;
        if (bytesAfter > (guest.proven ? MAX_AFTER_END : MAX_AFTER_STRANGERS_END)) socket.destroy();
        return;
      }
      if (!guest.proven && !rules.strangers.mayAsk(guest.source, chunk)) return void tooMuch();
      let isDone = false;
      turns.run(() => {
        isDone = true;
        if (socket.destroyed) return;
        if (socket.isPaused()) socket.resume();
        listen(chunk);
      });
      // Until its turn comes nothing more is read.
      if (!isDone) socket.pause();
    });
  };

  const cutOff = (socket: Socket, source: Uint8Array): void => {
    rules.refused(source);
    socket.destroy();
  };

  /** Makes room where there is none: the connection goes that has stood longest of those that are not kept. */
  const hasRoom = (prefix: string): boolean => {
    const crowded = (byPrefix.get(prefix) ?? 0) >= MAX_CONNECTIONS_PER_PREFIX;
    if (!crowded && guests.size < MAX_CONNECTIONS) return true;
    for (const [socket, guest] of guests) {
      if (guest.keptFor !== null || (crowded && guest.prefix !== prefix)) continue;
      leave(socket);
      cutOff(socket, guest.source);
      return true;
    }
    return false;
  };

  const leave = (socket: Socket): void => {
    const guest = guests.get(socket);
    if (!guest) return;
    guests.delete(socket);
    if (guest.keptFor !== null) {
      places.release(guest.keptFor);
      placesOf.get(guest.prefix)?.release(guest.keptFor);
    }
    const left = (byPrefix.get(guest.prefix) ?? 1) - 1;
    if (left > 0) byPrefix.set(guest.prefix, left);
    else {
      byPrefix.delete(guest.prefix);
      placesOf.delete(guest.prefix);
    }
  };

  const accept = (socket: Socket, port: number): void => {
    const arrival = rules.arrivalOf({ address: socket.remoteAddress ?? '', port: 0 }, port, null, null);
    if (!arrival) return void socket.destroy();
    const source = arrival.sourceBytes;
    const prefix = prefixOf(source);
    socket.on('error', () => socket.destroy());
    if (!rules.strangers.mayConnect(source) || !hasRoom(prefix)) {
      cutOff(socket, source);
      return;
    }
    rules.counted('connections');
    const guest: Guest = { prefix, source, proven: false, keptFor: null };
    guests.set(socket, guest);
    byPrefix.set(prefix, (byPrefix.get(prefix) ?? 0) + 1);
    const leaveIn = deadlineOf(socket, clock);
    socket.on('close', () => leave(socket));
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] !== TLS_HANDSHAKE) {
        converse(socket, guest, port, leaveIn);
        socket.resume();
        return;
      }
      if (!rules.strangers.mayHandshake(source, arrival.sourceAddress)) return cutOff(socket, source);
      // Node reads what has come, and OpenSSL signs, in the tick after the one that makes the socket.
      turns.runLast(() => {
        if (socket.destroyed) return;
        const secure = new TLSSocket(socket, { isServer: true, secureContext: rules.secureContext() });
        secure.on('error', () => socket.destroy());
        secure.once('secure', () => converse(secure, guest, port, leaveIn));
      });
    });
  };

  return {
    bind: ({ listener, port }) =>
      new Promise((resolve) => {
        const address = rules.listeners[listener]?.address ?? '';
        const server = createServer((socket) => accept(socket, port));
        server.on('error', (error) => {
          if (server.listening) return;
          const code = (error as { code?: string }).code ?? 'unknown error';
          rules.warn(`tcp ${port} on ${address}: cannot be bound (${code})`);
          resolve();
        });
        server.listen({ port, host: address, exclusive: true }, () => {
          servers.push(server);
          ports.add(port);
          resolve();
        });
      }),
    ports: () => [...ports],
    openConnections: () => guests.size,
    close: async () => {
      turns.close();
      for (const socket of guests.keys()) socket.destroy();
      await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    },
  };
};

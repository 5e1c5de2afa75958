/** The reflector's sockets: binds what it can, says what it could not, answers until it is closed. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { descriptorLimit, SPARE_DESCRIPTORS } from '../net/limits.js';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../net/stream.js';
import { encodeInfo, spansOf } from '../wire/info.js';
import { createAuthority } from './authority.js';
import type { Credentials } from './certificate.js';
import { answerDatagram, type DatagramRules } from './datagrams.js';
import type { Arrival, Host } from './exchange.js';
import { createKeepaliveBook, createLimiter, createRefusalBook, prefixOf } from './limits.js';
import type { Counters } from './metrics.js';
import { createOverruns } from './overruns.js';
import type { PortPlan } from './ports.js';
import { createReceipts } from './receipts.js';
import { createSources } from './sources.js';
import { createConversation, HANG_UP } from './streams.js';

export interface ReflectorOptions {
  /** Addresses to bind; `::` takes IPv4 as well where the system allows it. */
  readonly listen: readonly string[];
  readonly ports: PortPlan;
  readonly token: Uint8Array;
  readonly credentials: Credentials;
  readonly version: string;
  /** Called once for each port that cannot be bound. */
  readonly warn: (message: string) => void;
}

export interface Reflector {
  readonly udp: readonly number[];
  readonly tcp: readonly number[];
  counters(): Counters;
  close(): Promise<void>;
}

/** Sockets that are being bound at the same time; more gain nothing and make a failure harder to read. */
const BINDING_AT_ONCE = 512;
/** The default holds 256 small packets, which a sweep's burst overruns; the system grants what it allows. */
const RECEIVE_BUFFER = 1024 * 1024;
/** A probe's connection lasts seconds. Only answers count as life: bytes that never complete a message do not. */
const UNANSWERED_MS = 15_000;
/** All connections together, so that holding them open exhausts no descriptors. */
const MAX_CONNECTIONS = 2000;
/** Several agents behind one address, each with all its questions at once; and one network cannot take them all. */
const MAX_CONNECTIONS_PER_PREFIX = 500;
/** First byte of a TLS record that opens a handshake (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? 'unknown error';

const nowMicros = (): bigint => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));

const inChunks = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  for (let at = 0; at < items.length; at += BINDING_AT_ONCE) {
    await Promise.all(items.slice(at, at + BINDING_AT_ONCE).map(work));
  }
};

/** Starts answering. Resolves when every socket that can be bound is bound, even if none could be. */
export const startReflector = async (options: ReflectorOptions): Promise<Reflector> => {
  const { warn, credentials } = options;
  const authority = createAuthority(options.token);
  const limiter = createLimiter();
  const keepalives = createKeepaliveBook();
  const refusals = createRefusalBook();
  const sourceOf = createSources();
  const overruns = createOverruns(new Set(options.ports.udp));
  const context = createSecureContext({ cert: credentials.cert, key: credentials.key, minVersion: 'TLSv1.2' });
  const udpSockets: UdpSocket[] = [];
  const servers: Server[] = [];
  const connections = new Set<Socket>();
  const connectionsOf = new Map<string, number>();
  const udp = new Set<number>();
  const tcp = new Set<number>();
  const counts = { datagrams: 0, answers: 0, connections: 0 };
  let info: Uint8Array = new Uint8Array(0);
  const host: Host = {
    authority,
    nowMicros,
    keepalives: keepalives.count,
    info: () => info,
    receipts: createReceipts(),
    overruns: () => overruns.recent(),
    refused: refusals.count,
    version: options.version,
  };

  const arrivalOf = (
    address: string,
    sourcePort: number,
    localPort: number,
    binding: Uint8Array | null,
  ): Arrival | null => {
    const source = sourceOf(address);
    return (
      source && {
        sourceBytes: source.bytes,
        sourceAddress: source.text,
        sourcePort,
        localPort,
        receivedAtMicros: nowMicros(),
        binding,
      }
    );
  };

  const rules: DatagramRules = { host, limiter, sawKeepalive: keepalives.saw };
  let told = false;
  /** A defect in one responder costs one answer and one warning, and never the process. */
  const guarded = <T>(respond: () => T, otherwise: T): T => {
    try {
      return respond();
    } catch (error) {
      if (!told) warn(`a defect in callpath, please report it: ${(error as Error)?.stack ?? error}`);
      told = true;
      return otherwise;
    }
  };

  const bindUdp = (address: string, port: number): Promise<void> =>
    new Promise((resolve) => {
      const family = address.includes(':') ? 6 : 4;
      const socket = createSocket({
        type: family === 6 ? 'udp6' : 'udp4',
        // Answers go to literals; the default lookup would cost a getaddrinfo per packet.
        lookup: (hostname, _options, done) => done(null, hostname, family),
      });
      socket.on('error', (error) => {
        if (udp.has(port) && udpSockets.includes(socket)) return;
        warn(`udp ${port} on ${address}: cannot be bound (${codeOf(error)})`);
        socket.close();
        resolve();
      });
      socket.on('message', (message, from) => {
        counts.datagrams += 1;
        const arrival = arrivalOf(from.address, from.port, port, null);
        const answer = arrival && guarded(() => answerDatagram(message, arrival, rules), null);
        // What cannot be sent is lost like any datagram; the agent asks again.
        if (!answer) return;
        counts.answers += 1;
        socket.send(answer, from.port, from.address, () => undefined);
      });
      socket.bind({ port, address, exclusive: true }, () => {
        udpSockets.push(socket);
        udp.add(port);
        try {
          socket.setRecvBufferSize(RECEIVE_BUFFER);
        } catch {
          warn(`udp ${port} on ${address}: keeps the system's default receive buffer`);
        }
        resolve();
      });
    });

  const converse = (socket: Socket | TLSSocket, port: number, answered: () => void): void => {
    const conversation = createConversation(host);
    const binding =
      socket instanceof TLSSocket ? socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)) : null;
    socket.on('data', (chunk: Buffer) => {
      const arrival = arrivalOf(socket.remoteAddress ?? '', socket.remotePort ?? 0, port, binding);
      if (!arrival) return void socket.destroy();
      const { send, close } = guarded(() => conversation.push(chunk, arrival), HANG_UP);
      if (send.length > 0) {
        answered();
        socket.write(Buffer.concat(send));
      }
      if (close) {
        if (!socket.writableEnded) socket.end();
      } else if (socket.writableNeedDrain) {
        // Who asks and does not read is not listened to until it reads, so that answers cannot pile up here.
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
  };

  const accept = (socket: Socket, port: number): void => {
    const from = sourceOf(socket.remoteAddress ?? '');
    const prefix = from && prefixOf(from.bytes);
    const already = connectionsOf.get(prefix ?? '') ?? 0;
    if (prefix === null || connections.size >= MAX_CONNECTIONS || already >= MAX_CONNECTIONS_PER_PREFIX) {
      if (from) refusals.refuse(from.bytes);
      socket.destroy();
      return;
    }
    counts.connections += 1;
    connections.add(socket);
    connectionsOf.set(prefix, already + 1);
    const deadline = setTimeout(() => socket.destroy(), UNANSWERED_MS);
    const answered = (): void => {
      deadline.refresh();
    };
    socket.on('close', () => {
      clearTimeout(deadline);
      connections.delete(socket);
      const left = (connectionsOf.get(prefix) ?? 1) - 1;
      if (left > 0) connectionsOf.set(prefix, left);
      else connectionsOf.delete(prefix);
    });
    socket.on('error', () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] !== TLS_HANDSHAKE) {
        converse(socket, port, answered);
        socket.resume();
        return;
      }
      const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
      secure.on('error', () => socket.destroy());
      secure.once('secure', () => converse(secure, port, answered));
    });
  };

  const bindTcp = (address: string, port: number): Promise<void> =>
    new Promise((resolve) => {
      const server = createServer((socket) => accept(socket, port));
      server.on('error', (error) => {
        if (server.listening) return;
        warn(`tcp ${port} on ${address}: cannot be bound (${codeOf(error)})`);
        resolve();
      });
      server.listen({ port, host: address, exclusive: true }, () => {
        servers.push(server);
        tcp.add(port);
        resolve();
      });
    });

  const wanted = options.listen.flatMap((address) => [
    ...options.ports.tcp.map((port) => ({ address, port, bind: bindTcp })),
    ...options.ports.udp.map((port) => ({ address, port, bind: bindUdp })),
  ]);
  const limit = descriptorLimit();
  const room = limit === null ? wanted.length : Math.max(0, limit - SPARE_DESCRIPTORS);
  if (wanted.length > room) {
    warn(
      `${wanted.length} sockets are wanted and the limit of open files is ${limit}: the last ${wanted.length - room} are left out (raise it with ulimit -Hn or LimitNOFILE=)`,
    );
  }
  await inChunks(wanted.slice(0, room), ({ address, port, bind }) => bind(address, port));
  info = encodeInfo({
    version: options.version,
    udp: spansOf(udp),
    tcp: spansOf(tcp),
    certificateSha256: credentials.sha256,
  });

  return {
    udp: [...udp].sort((a, b) => a - b),
    tcp: [...tcp].sort((a, b) => a - b),
    counters: () => ({
      ...counts,
      heldBack: limiter.heldBack(),
      openConnections: connections.size,
      overruns: overruns.total(),
    }),
    close: async () => {
      overruns.close();
      for (const connection of connections) connection.destroy();
      await Promise.all([
        ...udpSockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
        ...servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      ]);
    },
  };
};

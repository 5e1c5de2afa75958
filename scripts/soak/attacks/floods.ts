/**
 * Floods by strangers, each as fast as one process can send: over TCP and TLS, and over UDP under a real key id. All of them run
 * until their process is ended, from one network or from many.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, connect as open, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as openTls } from 'node:tls';
import { keyIdOf } from '../../../src/wire/keys.js';
import { encodeRequestTag } from '../../../src/wire/tag.js';
import { sipRequest, stunRequest, TOKEN } from '../../../test/reflector/support.js';

export interface Field {
  readonly address: string;
  readonly tcp: number;
  readonly udp: number;
  /** Networks that the flood comes from, each a /24 of its own. */
  readonly networks: number;
}

export type Flood = (field: Field) => Promise<void>;

/** One socket's read (libuv reads 64 KiB at once). */
const CHUNK = 65_536;
const GET = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

const filled = (piece: Uint8Array): Buffer =>
  Buffer.concat(new Array<Uint8Array>(Math.floor(CHUNK / piece.length)).fill(piece));

export const sourceOf = (number: number, networks: number): string => `127.60.${number % networks}.1`;

/** Until the event, the end of the connection, or so many milliseconds; leaves no listener behind. */
const until = (socket: Socket, event: 'connect' | 'drain' | 'data', ms: number): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      socket.off(event, done).off('close', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    socket.on(event, done).on('close', done);
  });

export const dial = async ({ address, tcp, networks }: Field, number: number): Promise<Socket | null> => {
  const socket = open({ host: address, port: tcp, localAddress: sourceOf(number, networks) });
  socket.on('error', () => undefined);
  socket.resume();
  await until(socket, 'connect', 1000);
  if (!socket.connecting && !socket.destroyed) return socket;
  socket.destroy();
  return null;
};

/** `lanes` at a time, one after the other in each. */
export const inLanes = async (lanes: number, one: (number: number) => Promise<void>): Promise<void> => {
  let number = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (;;) {
        number += 1;
        await one(number);
      }
    }),
  );
};

/** Connections that never stop saying the same, and are opened again when they are closed. */
const talkers =
  (connections: number, chunk: Buffer) =>
  (field: Field): Promise<void> =>
    inLanes(connections, async (number) => {
      const socket = await dial(field, number);
      if (!socket) return void (await sleep(5));
      while (!socket.destroyed) {
        if (socket.write(chunk)) await new Promise(setImmediate);
        else await until(socket, 'drain', 200);
      }
      socket.destroy();
    });

/** Connections that say one thing and are gone. */
const visitors =
  (first: () => Promise<Uint8Array>) =>
  async (field: Field): Promise<void> => {
    const bytes = await first();
    await inLanes(64, async (number) => {
      const socket = await dial(field, number);
      if (!socket) return void (await sleep(1));
      if (bytes.length > 0) {
        socket.write(bytes);
        await until(socket, 'data', 100);
      }
      socket.resetAndDestroy();
    });
  };

/** What a TLS client begins with. */
const clientHello = async (): Promise<Buffer> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = server.address();
  const client = openTls({ host: '127.0.0.1', port: typeof place === 'object' ? (place?.port ?? 0) : 0 });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [first] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return first;
};

/** More sockets than this change nothing about what arrives. */
const MAX_SOCKETS = 16;

/** UDP sockets in so many networks, bound. */
export const socketsOf = (networks: number): Promise<readonly UdpSocket[]> =>
  Promise.all(
    Array.from({ length: Math.min(networks, MAX_SOCKETS) }, async (_, number) => {
      const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
      socket.on('error', () => undefined);
      const bound = once(socket, 'listening');
      socket.bind(0, sourceOf(number, networks));
      await bound;
      return socket;
    }),
  );

/** Datagrams in bursts, with a turn in between for the end of who started this. */
const datagrams =
  (make: (number: number) => Uint8Array) =>
  async ({ address, udp, networks }: Field): Promise<void> => {
    const KINDS = 4096;
    const all = Array.from({ length: KINDS }, (_, number) => make(number));
    const sockets = await socketsOf(networks);
    for (let at = 0; ; at += 64) {
      for (let count = 0; count < 64; count += 1)
        sockets[count % sockets.length]?.send(all[(at + count) % KINDS] ?? '', udp, address);
      await new Promise(setImmediate);
    }
  };

const nothing = async (): Promise<Uint8Array> => new Uint8Array(0);

/** By name. */
export const FLOODS: Readonly<Record<string, Flood>> = {
  'pings over 10 connections': talkers(10, filled(Buffer.from('\r\n\r\n'))),
  'pings over 400 connections': talkers(400, filled(Buffer.from('\r\n\r\n'))),
  'OPTIONS over 50 connections': talkers(50, filled(sipRequest('OPTIONS'))),
  'junk over 50 connections': talkers(50, randomBytes(CHUNK)),
  'connections that come and go': visitors(nothing),
  'GET by GET': visitors(async () => GET),
  'TLS handshakes that stop half-way': visitors(clientHello),
  'a real key id, random sessions': datagrams((sequence) =>
    Buffer.concat([
      encodeRequestTag(
        {
          type: 'echoRequest',
          keyId: keyIdOf(TOKEN),
          session: randomBytes(8),
          sequence,
          sentAtMicros: BigInt(Date.now()) * 1000n,
          body: new Uint8Array(52),
        },
        randomBytes(32),
        null,
      ),
    ]),
  ),
  'STUN requests': datagrams(() => stunRequest()),
};

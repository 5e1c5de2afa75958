/** Hostile TCP and TLS connections: each kind breaks a rule that honest peers keep, then goes or waits to be thrown out. */
import { once } from 'node:events';
import { createServer, connect as open, type Socket } from 'node:net';
import { connect as openTls } from 'node:tls';
import { requestTag, sipRequest } from '../../test/reflector/support.js';
import { below, mutated, pick, type Random, randomBytes } from './mutate.js';
import type { Target } from './target.js';

const AT_ONCE = 400;
/** Of those that drip, so many at once; each lasts as long as the reflector bears it. */
const SLOW_AT_ONCE = 200;
/** One stream in this many drips or says nothing. */
const SLOW_SHARE = 100;
/** How long an answer is waited for that need not come. */
const HEARD_WITHIN_MS = 250;
const CONNECTED_WITHIN_MS = 10_000;
/** The reflector gives up after 15 s; so much more for a busy machine. */
const THROWN_OUT_WITHIN_MS = 40_000;

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const GET = latin1('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
const DNS = Buffer.concat([
  Buffer.of(0, 17),
  latin1('\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01'),
]);
const STREAMS: readonly Uint8Array[] = [GET, DNS, sipRequest('OPTIONS'), sipRequest('INVITE'), requestTag(9)];

interface StreamsResult {
  readonly opened: number;
  readonly refused: number;
  readonly heard: number;
  readonly findings: readonly string[];
}

interface Rig {
  readonly target: Target;
  readonly random: Random;
  /** The first octets that a TLS client sends. */
  readonly hello: Buffer;
}

/** After so long, after a first answer, or after the end: whichever comes first. */
const pause = (socket: Socket, milliseconds = HEARD_WITHIN_MS): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(settle, milliseconds);
    function settle(): void {
      clearTimeout(timer);
      resolve();
    }
    socket.once('data', settle);
    socket.once('close', settle);
  });

/** Ends with the connection, however it ends. */
const closed = (socket: Socket): Promise<void> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => void socket.once('close', () => resolve()));

const say = async (socket: Socket, bytes: Uint8Array): Promise<void> => {
  if (!socket.destroyed) socket.write(bytes);
  await pause(socket);
};

/** A handshake on top of `socket`; null if it did not come about. */
const secured = async (socket: Socket): Promise<Socket | null> => {
  const secure = openTls({ socket, rejectUnauthorized: false });
  secure.on('error', () => undefined);
  secure.on('data', () => undefined);
  const done = await Promise.race([
    once(secure, 'secureConnect').then(
      () => true,
      () => false,
    ),
    closed(socket).then(() => false),
  ]);
  return done ? secure : null;
};

type Hostility = (socket: Socket, rig: Rig) => Promise<void>;

/** Each gets a connection of its own, which is destroyed after it. */
const HOSTILITIES: readonly Hostility[] = [
  // Garbage, and mutations of what is understood.
  async (socket, { random }) => say(socket, mutated(random, STREAMS)),
  async (socket, { random }) => say(socket, randomBytes(random, 1 + below(random, 3000))),
  // Half a message, then the end of the sending side.
  async (socket, { random }) => {
    const message = pick(random, STREAMS);
    socket.end(message.subarray(0, below(random, message.length)));
    await pause(socket);
  },
  // Half a message, then a reset.
  async (socket, { random }) => {
    const message = pick(random, STREAMS);
    await say(socket, message.subarray(0, below(random, message.length)));
    socket.resetAndDestroy();
  },
  // A whole message and a reset before its answer.
  async (socket, { random }) => {
    socket.write(pick(random, STREAMS));
    socket.resetAndDestroy();
  },
  // Headers without an end.
  async (socket, { random }) => {
    const line = latin1(`X-${below(random, 1e6)}: ${'x'.repeat(below(random, 2000))}\r\n`);
    socket.write(pick(random, [latin1('GET / HTTP/1.1\r\n'), latin1('OPTIONS sip:a SIP/2.0\r\n')]));
    for (let count = 0; count < 40 && !socket.destroyed && !socket.writableNeedDrain; count += 1) socket.write(line);
    await pause(socket);
  },
  // Many requests in one breath, the last one cut.
  async (socket, { random }) => {
    const message = pick(random, STREAMS);
    const times = new Array<Uint8Array>(2 + below(random, 100)).fill(message);
    await say(socket, Buffer.concat([...times, message.subarray(0, below(random, message.length))]));
  },
  // Protocols changed in the middle.
  async (socket, { random }) => {
    for (let count = 0; count < 3 && !socket.destroyed; count += 1) await say(socket, pick(random, STREAMS));
  },
  // A ClientHello that is cut, mutated, or followed by nothing.
  async (socket, { random, hello }) => say(socket, hello.subarray(0, 1 + below(random, hello.length))),
  async (socket, { random, hello }) => say(socket, Buffer.concat([hello.subarray(0, 6), mutated(random, [hello])])),
  async (socket, { hello }) => say(socket, hello),
];

const TLS_HOSTILITIES: readonly Hostility[] = [
  // Garbage inside TLS.
  async (socket, { random }) => {
    const secure = await secured(socket);
    if (secure) await say(secure, mutated(random, STREAMS));
  },
  // Garbage below TLS, after the handshake.
  async (socket, { random }) => {
    if (await secured(socket)) await say(socket, randomBytes(random, 1 + below(random, 500)));
  },
  // A record that promises more than it brings, and a reset.
  async (socket) => {
    if (await secured(socket)) await say(socket, Buffer.of(0x17, 3, 3, 0x40, 0, 1, 2, 3));
    socket.resetAndDestroy();
  },
  // A tag bound to nothing: right key, wrong channel.
  async (socket, { random }) => {
    const secure = await secured(socket);
    if (secure) await say(secure, requestTag(below(random, 1000)));
  },
];
/** A handshake costs both sides a hundred times what a plain stream does. */
const TLS_SHARE = 0.08;

/** Silence, or a drop now and then that never makes a message: until thrown out. */
const drip: Hostility = async (socket, { random, hello }) => {
  const message = pick(random, [...STREAMS.map((bytes) => bytes.subarray(0, -1)), hello, Buffer.alloc(0)]);
  let at = 0;
  const timer = setInterval(() => {
    if (at < message.length && !socket.destroyed) socket.write(message.subarray(at, at + 1));
    at += 1;
  }, 300);
  await Promise.race([closed(socket), new Promise((resolve) => setTimeout(resolve, THROWN_OUT_WITHIN_MS).unref())]);
  clearInterval(timer);
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

/** Opens `streams` hostile connections from all over 127/8, so that no single network's ceiling ends them. */
export const fuzzStreams = async (target: Target, streams: number, random: Random): Promise<StreamsResult> => {
  const rig: Rig = { target, random, hello: await clientHello() };
  const counts = { opened: 0, refused: 0, heard: 0 };
  const findings: string[] = [];
  const one = async (hostility: Hostility): Promise<boolean> => {
    const localAddress = `127.${1 + below(random, 200)}.${below(random, 256)}.1`;
    const socket = open({ host: target.address, port: pick(random, target.tcp), localAddress });
    socket.setTimeout(CONNECTED_WITHIN_MS + THROWN_OUT_WITHIN_MS, () => socket.destroy());
    socket.on('error', () => undefined);
    const connected = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      closed(socket).then(() => false),
    ]);
    if (!connected) {
      counts.refused += 1;
      return false;
    }
    counts.opened += 1;
    socket.once('data', () => {
      counts.heard += 1;
    });
    await hostility(socket, rig);
    const gone = socket.destroyed;
    socket.destroy();
    return gone;
  };
  const many = async (share: number, atOnce: number, hostility: () => Hostility, mustEnd: boolean): Promise<void> => {
    let left = share;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const gone = await one(hostility());
        if (mustEnd && !gone && findings.length === 0) findings.push('a stream that never finished was not thrown out');
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, share) }, lane));
  };
  const slow = Math.min(Math.ceil(streams / SLOW_SHARE), 10 * SLOW_AT_ONCE);
  const quick = (): Hostility => pick(random, random() < TLS_SHARE ? TLS_HOSTILITIES : HOSTILITIES);
  await Promise.all([many(slow, SLOW_AT_ONCE, () => drip, true), many(streams - slow, AT_ONCE, quick, false)]);
  return { ...counts, findings };
};

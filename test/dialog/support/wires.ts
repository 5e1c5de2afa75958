/** Real wires for our phones: a UDP socket or a connection on loopback, and the phone at its end. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { realClock } from '../../../src/dialog/clock.js';
import type { Called } from '../../../src/dialog/incoming.js';
import { createPhone, type Phone } from '../../../src/dialog/phone.js';
import { sipStream } from '../../../src/wire/sip-stream.js';

const HOST = '127.0.0.1';
const CONNECT_WITHIN_MS = 10_000;

/** A port that is free for UDP, for whoever is started on it. */
export const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
};

/** Connects as soon as somebody listens. */
const connected = async (port: number): Promise<Socket> => {
  for (const endAt = Date.now() + CONNECT_WITHIN_MS; ; ) {
    const socket = connect({ port, host: HOST });
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    if (isOpen) return socket;
    if (Date.now() > endAt) throw new Error(`nobody listens on ${port}`);
    await sleep(20);
  }
};

interface Wiring {
  readonly transport: 'udp' | 'tcp';
  /** The peer's. */
  readonly port: number;
  readonly user: string;
  readonly domain?: string;
  readonly called?: (called: Called) => void;
}

/** A phone that speaks to a port of loopback. */
export const phoneTo = async (
  t: Test,
  { transport, port, user, domain = HOST, called = (one) => one.refuse(486, 'Busy Here') }: Wiring,
): Promise<{ readonly phone: Phone; readonly port: number }> => {
  const wired: { phone?: Phone } = {};
  const make = (local: number, send: (bytes: Uint8Array) => void): Phone => {
    const isReliable = transport === 'tcp';
    const phone = createPhone({
      ...{ clock: realClock, random: (bytes: number) => randomBytes(bytes), called },
      self: {
        ...{ transport: isReliable ? 'TCP' : 'UDP', host: HOST, port: local, uri: `sip:${user}@${domain}` },
        contact: `sip:${user}@${HOST}:${local}${isReliable ? ';transport=tcp' : ''}`,
      },
      peer: () => ({ address: HOST, port }),
      wire: { isReliable, send },
    });
    wired.phone = phone;
    t.teardown(() => phone.close());
    return phone;
  };
  if (transport === 'udp') {
    const socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
    t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())));
    socket.on('message', (bytes) => wired.phone?.hear(bytes));
    const local = socket.address().port;
    return { phone: make(local, (bytes) => socket.send(bytes, port, HOST)), port: local };
  }
  const socket = await connected(port);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => undefined);
  const stream = sipStream();
  socket.on('data', (bytes) => {
    for (const item of stream.push(bytes)) if (item.kind === 'message') wired.phone?.hear(item.bytes);
  });
  const local = socket.localPort ?? 0;
  return { phone: make(local, (bytes) => socket.write(bytes)), port: local };
};

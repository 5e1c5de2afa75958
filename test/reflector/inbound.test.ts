/** The way in, tried from outside: whom the reflector may be made to reach, how often, and what comes to the port. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { makeCredentials } from '../../src/reflector/certificate.js';
import type { Called, Dial } from '../../src/reflector/dial.js';
import { createInbound } from '../../src/reflector/inbound.js';
import { type Reflector, startReflector } from '../../src/reflector/server.js';
import { encodeInboundQuery, type InboundState, readInboundQuery, readInboundState } from '../../src/wire/inbound.js';
import { parseIp, toMappedBytes } from '../../src/wire/ip.js';
import { ANSWER_TAG_BYTES, isAnswer, REQUEST_TAG_BYTES, readTag, verifyTag } from '../../src/wire/tag.js';
import { requestTag, sendInRealTime, sessionOf } from './support.js';

sendInRealTime();

const bytesOf = (address: string): Uint8Array => {
  const ip = parseIp(address);
  if (!ip) throw new Error(`${address} is no address`);
  return toMappedBytes(ip.bytes);
};
const query = (attempt: number, action: 'begin' | 'tell' = 'begin') =>
  ({ action, attempt, transport: 'tcp', port: 5061 }) as const;
const asker = (address = '192.0.2.9', fields: { name?: string; overConnection?: boolean } = {}) => ({
  name: 'token session',
  sourceBytes: bytesOf(address),
  sourceAddress: address,
  localAddress: '198.51.100.10',
  overConnection: true,
  knock: () => new Uint8Array(0),
  ...fields,
});

/** Attempts that end when a test says so. */
const rig = () => {
  const called: Called[] = [];
  const ends: ((state: InboundState) => void)[] = [];
  let nowMs = 0;
  let closed = 0;
  const dial: Dial = (one) => {
    called.push(one);
    const over = new Promise<InboundState>((resolve) => ends.push(resolve));
    return {
      over,
      close: () => {
        closed += 1;
      },
    };
  };
  return {
    ...{ called, ends },
    closed: () => closed,
    inbound: createInbound({ dial, now: () => nowMs }),
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
};

t.test('it reaches the address that asked over a connection, and no other', async (t) => {
  const { called, inbound } = rig();
  t.equal(inbound.answer(query(1), asker('192.0.2.9', { overConnection: false })), 'needs-connection');
  t.equal(called.length, 0, 'the source of a datagram may be anybody');
  t.equal(inbound.answer(query(1), asker()), 'pending');
  t.strictSame(called, [{ address: '192.0.2.9', family: 4, port: 5061, transport: 'tcp', from: '198.51.100.10' }]);
});

t.test('an attempt is made once, and its end is told to whoever began it', async (t) => {
  const { called, ends, inbound } = rig();
  t.equal(inbound.answer(query(7, 'tell'), asker()), 'forgotten');
  inbound.answer(query(7), asker());
  t.equal(inbound.answer(query(7), asker()), 'pending', 'asked again: lost answers begin nothing');
  t.equal(called.length, 1);
  ends[0]?.('refused');
  await Promise.resolve();
  t.equal(inbound.answer(query(7, 'tell'), asker()), 'refused');
  t.equal(inbound.answer(query(7), asker()), 'refused');
  t.equal(called.length, 1);
  t.equal(inbound.answer(query(7, 'tell'), asker('192.0.2.9', { name: 'token other' })), 'forgotten');
});

t.test('a network has a rate, and changing the host or the session earns nothing', async (t) => {
  const { called, ends, inbound, advance } = rig();
  for (let attempt = 0; attempt < 200; attempt += 1) {
    inbound.answer(query(attempt), asker(`192.0.2.${1 + (attempt % 200)}`, { name: `token ${attempt % 5}` }));
    ends.at(-1)?.('silent');
    await Promise.resolve();
  }
  t.equal(called.length, 40);
  t.equal(inbound.answer(query(900), asker()), 'held-back');
  advance(2000);
  t.equal(inbound.answer(query(901), asker()), 'pending', 'one in two seconds');
  t.equal(inbound.answer(query(902), asker()), 'held-back');
  t.equal(inbound.answer(query(903), asker('203.0.113.1')), 'pending', 'another network');
});

t.test('attempts under way have places, and a token cannot take them all', async (t) => {
  const { called, inbound } = rig();
  const from = (token: string, count: number): number => {
    const before = called.length;
    for (let n = 0; n < count; n += 1) inbound.answer(query(n), asker(`10.0.${n}.1`, { name: `${token} s` }));
    return called.length - before;
  };
  const first = from('a', 100);
  t.equal(first, 32, 'half of them');
  t.ok(from('b', 100) >= 8, 'there is something left for others');
});

t.test('it ends what is under way when it ends', async (t) => {
  const { inbound, closed } = rig();
  inbound.answer(query(1), asker());
  inbound.answer(query(2), asker());
  inbound.close();
  t.equal(closed(), 2);
});

t.test('bodies that say nothing are no query', async (t) => {
  t.equal(readInboundQuery(new Uint8Array(7)), null);
  const good = encodeInboundQuery(query(3), 4);
  t.strictSame(readInboundQuery(good), query(3));
  for (const [at, value] of [
    [0, 0],
    [0, 9],
    [1, 0],
    [1, 4],
  ] as const) {
    const bad = Uint8Array.from(good);
    bad[at] = value;
    t.equal(readInboundQuery(bad), null);
  }
  t.equal(readInboundQuery(Uint8Array.from([1, 1, 0, 0, 0, 0, 0, 0])), null, 'port 0');
  t.equal(readInboundState(Uint8Array.of(200, 0, 0, 0)), null);
  t.equal(readInboundState(new Uint8Array(3)), null);
});

const HOST = '127.0.0.1';
const CREDENTIALS = await makeCredentials();
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};
const started = async (
  t: Test,
  inbound: boolean,
  processes = 1,
  addresses: readonly string[] = [HOST],
): Promise<{ port: number; other: number; reflector: Reflector }> => {
  const [port, other] = [await freePort(), await freePort()];
  const warnings: string[] = [];
  const reflector = await startReflector({
    listeners: addresses.map((address) => ({ address, publicAddress: address })),
    ports: { udp: [port], tcp: [port, other] },
    tokens: [{ name: 'test', token: Buffer.from('correct-horse-battery-staple') }],
    credentials: CREDENTIALS,
    version: '0.1.0',
    inbound,
    processes,
    warn: (message) => warnings.push(message),
  });
  t.strictSame(warnings, []);
  t.teardown(() => reflector.close());
  return { port, other, reflector };
};

const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;
let sequence = 0;
const request = (body: Parameters<typeof encodeInboundQuery>[0], token?: Uint8Array): Uint8Array => {
  sequence += 1;
  return requestTag(sequence, {
    type: 'inboundRequest',
    body: encodeInboundQuery(body, PADDING),
    ...(token && { token }),
  });
};
/** What the reflector says over a connection of its own; null where it hangs up. */
const say = async (port: number, bytes: Uint8Array, host = HOST): Promise<InboundState | 'another answer' | null> => {
  const socket = connect({ port, host, localAddress: HOST });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  const read = readTag(Buffer.concat(chunks));
  if (!read.ok) return null;
  const { tag } = read.value;
  return tag.type === 'inboundAnswer' && verifyTag(read.value, sessionOf(1).keys?.toAgent ?? new Uint8Array(), null)
    ? readInboundState(tag.body)
    : 'another answer';
};
const untilOver = async (port: number, asked: Parameters<typeof encodeInboundQuery>[0]): Promise<unknown> => {
  for (;;) {
    const state = await say(port, request({ ...asked, action: 'tell' }));
    if (state !== 'pending') return state;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const isKnock = (bytes: Uint8Array, port: number, binding: Uint8Array | null): boolean => {
  const read = readTag(bytes);
  return (
    read.ok &&
    isAnswer(read.value.tag) &&
    read.value.tag.type === 'inboundKnock' &&
    read.value.tag.arrivalPort === port &&
    verifyTag(read.value, sessionOf(1).keys?.toAgent ?? new Uint8Array(), binding)
  );
};

t.test('what comes to a TCP port is the knock, and the end of the connection', async (t) => {
  const { port } = await started(t, true);
  const heard: Buffer[] = [];
  const server: Server = createServer((socket: Socket) => {
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.on('end', () => socket.end());
  }).listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const { port: ours } = server.address() as { port: number };
  const asked = { action: 'begin', attempt: 1, transport: 'tcp', port: ours } as const;
  const bytes = request(asked);
  t.equal(await say(port, bytes), 'pending');
  t.equal(await untilOver(port, asked), 'connected');
  const knock = Buffer.concat(heard);
  t.ok(isKnock(knock, ours, null));
  t.ok(knock.length <= bytes.length, `${knock.length} octets to ${bytes.length}`);
});

t.test('the knock is bound to the TLS session that carries it', async (t) => {
  const { port } = await started(t, true);
  const heard = new Promise<{ bytes: Buffer; binding: Buffer }>((resolve) => {
    const server = createTlsServer({ cert: CREDENTIALS.cert, key: CREDENTIALS.key }, (socket: TLSSocket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) =>
        resolve({ bytes, binding: socket.exportKeyingMaterial(32, 'EXPORTER-callpath-1', Buffer.alloc(0)) }),
      );
    }).listen(0, HOST, async () => {
      const { port: ours } = server.address() as { port: number };
      await say(port, request({ action: 'begin', attempt: 2, transport: 'tls', port: ours }));
    });
    t.teardown(() => new Promise((done) => server.close(done)));
  });
  const { bytes, binding } = await heard;
  const read = readTag(bytes);
  t.ok(read.ok && isKnock(bytes, isAnswer(read.value.tag) ? read.value.tag.arrivalPort : 0, binding));
  t.notOk(isKnock(bytes, read.ok && isAnswer(read.value.tag) ? read.value.tag.arrivalPort : 0, null));
});

t.test('over UDP one datagram comes, from a port that is not the one that was asked', async (t) => {
  const { port } = await started(t, true);
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const ours = socket.address().port;
  const bytes = request({ action: 'begin', attempt: 3, transport: 'udp', port: ours });
  const [[message, from]] = (await Promise.all([once(socket, 'message'), say(port, bytes)])) as [
    [Buffer, { port: number }],
    unknown,
  ];
  t.ok(isKnock(message, ours, null));
  t.ok(message.length <= bytes.length);
  t.not(from.port, port);
});

t.test('it comes from the address that was asked, also where there is a first one', async (t) => {
  const SECOND = '127.0.0.2';
  const { port } = await started(t, true, 1, [HOST, SECOND]);
  const from: (string | undefined)[] = [];
  const server = createServer((socket) => {
    from.push(socket.remoteAddress);
    socket
      .on('error', () => undefined)
      .resume()
      .on('end', () => socket.end());
  }).listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const asked = { action: 'begin', transport: 'tcp', port: (server.address() as { port: number }).port } as const;
  for (const [index, host] of [SECOND, HOST].entries()) {
    const attempt = 20 + index;
    t.equal(await say(port, request({ ...asked, attempt }), host), 'pending');
    t.equal(await untilOver(port, { ...asked, attempt }), 'connected');
  }
  t.strictSame(from, [SECOND, HOST]);
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const bytes = request({ action: 'begin', attempt: 22, transport: 'udp', port: socket.address().port });
  const [[, sender]] = (await Promise.all([once(socket, 'message'), say(port, bytes, SECOND)])) as [
    [Buffer, { address: string }],
    unknown,
  ];
  t.equal(sender.address, SECOND);
});

t.test('a port where nobody listens is refused, and TLS that nobody speaks fails', async (t) => {
  const { port } = await started(t, true);
  const asked = { action: 'begin', attempt: 4, transport: 'tcp', port: await freePort() } as const;
  await say(port, request(asked));
  t.equal(await untilOver(port, asked), 'refused');
  const server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('no TLS'),
  ).listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const plain = { ...asked, attempt: 5, transport: 'tls', port: (server.address() as { port: number }).port } as const;
  await say(port, request(plain));
  t.equal(await untilOver(port, plain), 'tls-failed');
});

t.test('nothing is begun for strangers, over UDP, or where the operator does not allow it', async (t) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const asked = {
    action: 'begin',
    attempt: 6,
    transport: 'tcp',
    port: (server.address() as { port: number }).port,
  } as const;
  const { port } = await started(t, true);
  t.not(await say(port, request(asked, Buffer.from('another token, not ours at all'))), 'pending', 'another token');
  const broken = request(asked);
  broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
  t.equal(await say(port, broken), null, 'a forged one');

  const udp = createSocket('udp4').bind(0, HOST);
  await once(udp, 'listening');
  t.teardown(() => udp.close());
  udp.send(request(asked), port, HOST);
  const [answer] = (await once(udp, 'message')) as [Buffer];
  const read = readTag(answer);
  t.equal(read.ok && isAnswer(read.value.tag) && readInboundState(read.value.tag.body), 'needs-connection');

  const { port: shut } = await started(t, false);
  t.equal(await say(shut, request(asked)), 'not-offered');
  // What would have been begun by any of these connects before this one is answered.
  const begun = { ...asked, attempt: 60 };
  t.equal(await say(port, request(begun)), 'pending');
  await untilOver(port, begun);
  t.equal(connections, 1, 'the one that was allowed');
});

t.test('a request that somebody else repeats begins nothing', async (t) => {
  const { port } = await started(t, true);
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket
      .on('error', () => undefined)
      .resume()
      .on('end', () => socket.end());
  }).listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const asked = {
    action: 'begin',
    attempt: 8,
    transport: 'tcp',
    port: (server.address() as { port: number }).port,
  } as const;
  const bytes = request(asked);
  t.equal(await say(port, bytes), 'pending');
  t.equal(await untilOver(port, asked), 'connected');
  const thief = connect({ port, host: HOST, localAddress: '127.0.0.2' });
  thief.on('error', () => undefined);
  thief.resume();
  thief.write(bytes);
  await once(thief, 'close');
  const after = { ...asked, attempt: 9 };
  await say(port, request(after));
  await untilOver(port, after);
  t.equal(connections, 2, 'the one that was asked for, and the next');
});

t.test('every process of a reflector does it', async (t) => {
  const { port, other, reflector } = await started(t, true, 2);
  t.equal(reflector.processes, 2);
  // Each process has one of the two ports.
  for (const [attempt, at] of [port, other].entries()) {
    const asked = { action: 'begin', attempt: 10 + attempt, transport: 'tcp', port: await freePort() } as const;
    t.equal(await say(at, request(asked)), 'pending');
    t.equal(await untilOver(at, asked), 'refused');
  }
});

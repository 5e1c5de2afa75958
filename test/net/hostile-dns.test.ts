/** The stub resolver and a server that wants its host's descriptors, memory and time, or its belief. */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createStub } from '../../src/net/stub.js';

const PATIENCE_MS = 600;
/** Answers to one question; three times as many still fit into the buffer of the socket that asks. */
const MANY = 60;

/** A server over UDP and TCP on one port; `says` are the datagrams that answer one. */
const hostile = async (
  t: Test,
  says: (query: Buffer) => Iterable<Uint8Array>,
  toTcp: (socket: Socket) => void = (socket) => socket.destroy(),
) => {
  const tcp = createServer(toTcp).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const place = tcp.address();
  const port = typeof place === 'object' ? (place?.port ?? 0) : 0;
  let connections = 0;
  const open = new Set<Socket>();
  tcp.on('connection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => undefined);
  });
  const udp = createSocket('udp4').bind(port, '127.0.0.1');
  await once(udp, 'listening');
  udp.on('error', () => undefined);
  udp.on('message', async (query: Buffer, from: RemoteInfo) => {
    for (const answer of says(query)) udp.send(answer, from.port, from.address, () => undefined);
  });
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    tcp.close();
    udp.close();
  });
  return { server: `127.0.0.1:${port}`, connections: () => connections };
};

/** The question and what is set behind it (RFC 1035 §4.1). */
const answer = (query: Buffer, flags: number, records: readonly string[] = []): Buffer => {
  const end = query.indexOf(0, 12) + 5;
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...records.map((text) => Buffer.from(text, 'hex'))]);
};
const ADDRESS = 'c00c00010001000000780004c0000201';
/** An alias of the question's own name, to itself (RFC 1034 §3.6.2). */
const LOOP = 'c00c00050001000000780002c00c';
/** A name that points at itself (RFC 1035 §4.1.4). */
const POINTER = 'c01e00010001000000780004c0000201';
const ANSWERS = 0x8180;
const TRUNCATED = 0x8380;

const ask = async (server: string) => {
  const began = performance.now();
  const result = await createStub({ servers: [server], patienceMs: PATIENCE_MS }).ask(
    'name.example',
    'A',
    AbortSignal.timeout(60_000),
  );
  return { result, ms: performance.now() - began };
};

t.test('answers that say that they are cut short cost one connection, and its drip one patience', async (t) => {
  const { server, connections } = await hostile(
    t,
    (query) => Array.from({ length: MANY }, () => answer(query, TRUNCATED)),
    (socket) => {
      const drip = setInterval(() => socket.write(Buffer.of(0xff)), 20);
      socket.on('close', () => clearInterval(drip));
    },
  );
  const { result, ms } = await ask(server);
  t.equal(result.ok, false);
  t.equal(connections(), 1);
  t.ok(ms < PATIENCE_MS + 2000, `${ms} ms`);
});

t.test('nothing that belongs to another question is believed, however much of it comes', async (t) => {
  let asked = 0;
  const { server } = await hostile(t, function* (query) {
    asked += 1;
    for (let number = 0; number < MANY; number += 1) {
      const wrongId = answer(query, ANSWERS, [ADDRESS.replace('c0000201', '0a000001')]);
      wrongId.writeUInt16BE((query.readUInt16BE(0) + 1 + number) & 0xffff, 0);
      yield wrongId;
      const wrongName = answer(query, ANSWERS, [ADDRESS.replace('c0000201', '0a000002')]);
      wrongName.write('x', 13, 'latin1');
      yield wrongName;
      yield randomBytes(number);
    }
    yield answer(query, ANSWERS, [ADDRESS]);
  });
  const { result } = await ask(server);
  t.match(result, { ok: true, value: [{ type: 'A', address: '192.0.2.1' }] });
  t.ok(asked > 0);
});

for (const [name, records] of [
  ['an alias of itself', [LOOP]],
  ['a name that points at itself', [POINTER]],
  ['a thousand aliases of itself', Array.from({ length: 1000 }, () => LOOP)],
  ['fewer records than it says', []],
] as const)
  t.test(`${name} is no answer and ends`, async (t) => {
    const { server } = await hostile(t, (query) => {
      const message = answer(query, ANSWERS, records);
      if (records.length === 0) message.writeUInt16BE(500, 6);
      return [message];
    });
    const { result, ms } = await ask(server);
    t.equal(result.ok, false);
    t.ok(ms < PATIENCE_MS + 2000, `${ms} ms`);
  });

t.test('a server that says nothing but noise is not waited for longer than any', async (t) => {
  const { server } = await hostile(t, () => Array.from({ length: MANY }, () => randomBytes(60)));
  const { result, ms } = await ask(server);
  t.equal(result.ok, false);
  t.ok(ms < PATIENCE_MS + 2000, `${ms} ms`);
});

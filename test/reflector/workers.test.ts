/** One reflector in several processes: what any of them saw all of them know, and they live and end together. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
import { makeCredentials } from '../../src/reflector/certificate.js';
import { createCore } from '../../src/reflector/core.js';
import { type Reflector, startReflector } from '../../src/reflector/server.js';
import { dealShares, MAX_PROCESSES, roomUnder } from '../../src/reflector/shares.js';
import { STUN_TAG_ATTRIBUTE } from '../../src/wire/carriers.js';
import { INFO_REQUEST_BYTES, parseInfo } from '../../src/wire/info.js';
import { encodeReceiptsQuery, readReceipts } from '../../src/wire/receipts.js';
import { attributeOf, parseStun } from '../../src/wire/stun.js';
import { isAnswer, REQUEST_TAG_BYTES, readTag } from '../../src/wire/tag.js';
import { requestTag, sendInRealTime, stunRequest, TOKEN } from './support.js';

/** An address of its own, so that its ports are nobody else's. */
const HOST = '127.0.55.1';
const FIRST_PORT = 20_000;
const WITHIN_MS = 20_000;
const LINUX_ONLY = { skip: process.platform === 'linux' ? false : 'needs /proc and all of 127/8' };
const credentials = await makeCredentials();

const listen = async (): Promise<Socket> => {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  return socket;
};
const portsFrom = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => first + index);

const start = async (
  ports: readonly number[],
  processes: number,
  failed: (error: Error) => void = () => undefined,
  tcp: readonly number[] = [],
): Promise<Reflector> =>
  startReflector({
    listeners: [{ address: HOST, publicAddress: HOST }],
    ports: { udp: ports, tcp },
    tokens: [{ name: 'test', token: TOKEN }],
    credentials,
    version: '0.1.0',
    processes,
    warn: (message) => t.fail(message),
    failed,
  });

const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return new RegExp(`^PPid:\\s*${pid}$`, 'm').test(readFileSync(`/proc/${name}/status`, 'utf8'));
      } catch {
        return false;
      }
    })
    .filter((name) => readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('worker.js'))
    .map(Number);

/** Asks from one socket until an answer comes; the same bytes, as a protocol that retransmits does. */
const ask = async (socket: Socket, message: Uint8Array, port: number): Promise<Uint8Array> => {
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(WITHIN_MS) });
  socket.send(message, port, HOST);
  const again = setInterval(() => socket.send(message, port, HOST), 1000);
  try {
    const [bytes] = (await answered) as [Buffer];
    return bytes;
  } finally {
    clearInterval(again);
  }
};

const answerOf = (bytes: Uint8Array) => {
  const read = readTag(bytes);
  if (!read.ok || !isAnswer(read.value.tag)) throw new Error('not an answer');
  return read.value.tag;
};
const room = { body: new Uint8Array(52) };

sendInRealTime();

t.test('sockets are dealt out', async (t) => {
  const one = [{ address: HOST, publicAddress: HOST }];
  const ports = { udp: [1, 2, 3, 4, 5], tcp: [443] };
  t.equal(roomUnder(null), Number.POSITIVE_INFINITY);
  t.equal(roomUnder(20_000), 20_000 - 64 - 2000);
  t.equal(roomUnder(1024), 1024 - 64 - 256);
  t.same(dealShares(one, ports, Number.POSITIVE_INFINITY, null).shares.length, 1, 'one where there is room');
  const { shares, leftOut } = dealShares(one, ports, 3, null);
  t.same(
    shares.map(({ udp, tcp }) => [udp.map(({ port }) => port), tcp.map(({ port }) => port)]),
    [
      [[1, 2], [443]],
      [[3, 4, 5], []],
    ],
    'no process gets more than it has room for',
  );
  t.equal(leftOut, 0);
  const scarce = dealShares(one, { udp: Array.from({ length: 100 }, (_, index) => index + 1), tcp: [443] }, 4, null);
  t.equal(scarce.shares.length, MAX_PROCESSES);
  t.equal(scarce.leftOut, 101 - 4 * MAX_PROCESSES);
  t.equal(scarce.shares[0]?.udp[0]?.port, 1, 'what matters most comes first');
  t.equal(dealShares(one, ports, Number.POSITIVE_INFINITY, 3).shares.length, 3, 'as many as are wanted');
});

t.test('three processes are one reflector', LINUX_ONLY, async (t) => {
  // The first 256 ports are the first process's; the last of these are dealt out in turn.
  const all = portsFrom(FIRST_PORT, 261);
  const ports = [...all.slice(0, 1), ...all.slice(-5)];
  const reflector = await start(all, 3);
  const socket = await listen();
  t.teardown(async () => {
    socket.close();
    await reflector.close();
  });
  t.equal(childrenOf(process.pid).length, 2);
  t.same(
    reflector.udp,
    [...all].sort((a, b) => a - b),
  );

  const sequences = ports.map((_, index) => index + 1);
  for (const [index, port] of ports.entries()) {
    const { arrivalPort } = answerOf(await ask(socket, requestTag(index + 1, room), port));
    t.equal(arrivalPort, port, 'each port answers for itself');
  }
  for (const [index, port] of ports.entries()) {
    const query = requestTag(100 + index, {
      type: 'receiptsRequest',
      body: encodeReceiptsQuery([...sequences, 99], 52),
    });
    const counts = readReceipts(answerOf(await ask(socket, query, port)).body, 7);
    t.ok(
      counts.slice(0, 6).every(({ arrived, answered }) => arrived >= 1 && answered === arrived),
      `port ${port} knows what arrived at all six: ${JSON.stringify(counts)}`,
    );
    t.same(counts[6], { arrived: 0, answered: 0, why: null }, 'and what did not');
    const info = parseInfo(
      answerOf(await ask(socket, requestTag(200 + index, { type: 'infoRequest', body: new Uint8Array(900) }), port))
        .body,
    );
    t.equal(
      info.ok && info.value.udp.reduce((sum, [from, to]) => sum + to - from + 1, 0),
      all.length,
      'and which ports there are',
    );
  }

  // What one process has seen is a replay at another's port, once they have told each other: the receipts above did.
  const thief = createSocket('udp4').bind(0, '127.0.0.2');
  await once(thief, 'listening');
  let answers = 0;
  thief.on('message', () => {
    answers += 1;
  });
  for (const port of ports) thief.send(requestTag(1, room), port, HOST);
  // A request of its own, answered by each, shows that the stolen ones have been dealt with.
  for (const [index, port] of ports.entries()) {
    const own = once(thief, 'message', { signal: AbortSignal.timeout(WITHIN_MS) });
    thief.send(requestTag(300 + index, room), port, HOST);
    const [bytes] = (await own) as [Buffer];
    t.equal(answerOf(bytes).sequence, 300 + index);
  }
  t.equal(answers, 6, 'none of the stolen requests was answered');
  thief.close();

  reflector.setTokens([]);
  const refused = await Promise.all(
    ports.map(async (port) => {
      const own = await listen();
      const bytes = await ask(own, requestTag(400, { ...room, session: port }), port).finally(() => own.close());
      return readTag(bytes);
    }),
  ).catch(() => []);
  t.ok(
    refused.some((read) => read.ok && read.value.tag.type === 'refusal'),
    'a revoked token is revoked everywhere',
  );
});

t.test('a process that hangs holds up no answer, and what it may have seen is not denied', LINUX_ONLY, async (t) => {
  const tcp = FIRST_PORT + 1000;
  const reflector = await start(portsFrom(FIRST_PORT, 260), 2, () => undefined, [tcp]);
  const socket = await listen();
  const [child = 0] = childrenOf(process.pid);
  t.teardown(async () => {
    process.kill(child, 'SIGCONT');
    socket.close();
    await reflector.close();
  });
  await ask(socket, requestTag(1, room), FIRST_PORT);
  process.kill(child, 'SIGSTOP');

  const order: string[] = [];
  const overTcp = async (name: string, request: Uint8Array): Promise<Uint8Array> => {
    const connection = connect(tcp, HOST);
    connection.write(request);
    const [bytes] = (await once(connection, 'data', { signal: AbortSignal.timeout(WITHIN_MS) })) as [Buffer];
    connection.destroy();
    order.push(name);
    return bytes;
  };
  const receipts = (sequence: number): Uint8Array =>
    requestTag(sequence, { type: 'receiptsRequest', body: encodeReceiptsQuery([1, 99], 52) });
  const query = overTcp('receipts', receipts(100));
  await overTcp('echo', requestTag(2, room));
  const arrivedOnce = [{ arrived: 1, answered: 1, why: null }];
  t.same(
    readReceipts(answerOf(await query).body, 2),
    arrivedOnce,
    'the list ends where the hanging process may know more',
  );
  t.same(order, ['echo', 'receipts'], 'an echo does not wait for it');
  t.same(
    readReceipts(answerOf(await ask(socket, receipts(101), FIRST_PORT)).body, 2),
    arrivedOnce,
    'the same over UDP',
  );

  process.kill(child, 'SIGCONT');
  t.same(
    readReceipts(answerOf(await overTcp('receipts', receipts(102))).body, 2),
    [...arrivedOnce, { arrived: 0, answered: 0, why: null }],
    'once all tell, what never came is said',
  );
});

const infoAt = async (socket: Socket, sequence: number, port: number) => {
  const body = new Uint8Array(INFO_REQUEST_BYTES - REQUEST_TAG_BYTES);
  const request = requestTag(sequence, { type: 'infoRequest', body });
  const info = parseInfo(answerOf(await ask(socket, request, port)).body);
  if (!info.ok) throw new Error(info.refusal);
  return info.value;
};

t.test('what arrives unreadable at any of them all of them tell, to that agent alone', LINUX_ONLY, async (t) => {
  const all = portsFrom(FIRST_PORT, 259);
  // Of the first process, the second and the third.
  const [own, second, third] = [FIRST_PORT, FIRST_PORT + 256, FIRST_PORT + 257] as const;
  const reflector = await start(all, 3);
  const socket = await listen();
  const other = createSocket('udp4').bind(0, '127.0.0.3');
  await once(other, 'listening');
  t.teardown(async () => {
    socket.close();
    other.close();
    await reflector.close();
  });
  // At one port only, and the answer to it tells the others who is no stranger.
  await ask(socket, requestTag(1, room), second);
  await infoAt(socket, 2, own);
  // RTP whose payload was cut.
  const junk = Buffer.concat([Buffer.from('800000010000000000000001', 'hex'), Buffer.alloc(40, 0xd5)]);
  for (const port of [own, second, third]) for (let count = 0; count < 2; count += 1) socket.send(junk, port, HOST);
  // Answered in order: these show that what came before them has been read.
  for (const [index, port] of [own, second, third].entries()) await ask(socket, requestTag(10 + index, room), port);
  for (const [index, port] of [own, second, third].entries()) {
    t.same(
      (await infoAt(socket, 20 + index, port)).unreadable,
      [
        [own, own],
        [second, third],
      ],
      `asked at port ${port}`,
    );
    t.equal((await infoAt(other, 30 + index, port)).unreadable, undefined, 'none of it is the other host');
  }
});

t.test('what others dropped and were late with is told by each', LINUX_ONLY, async (t) => {
  const port = FIRST_PORT;
  let haveAllTold = true;
  const core = createCore({
    listeners: [{ address: HOST, publicAddress: HOST }],
    tokens: [{ name: 'test', token: TOKEN }],
    credentials,
    version: '0.1.0',
    hashSeed: 1,
    warn: (message) => t.fail(message),
    siblings: {
      tell: () => undefined,
      consult: async () => haveAllTold,
      sendFrom: () => false,
      isBound: () => false,
      lately: () => ({ lateMs: 0, overruns: [7000, 7001] }),
    },
  });
  await core.bindUdp({ listener: 0, port });
  core.setInfo({ version: '0.1.0', udp: [[port, port]], tcp: [], certificateSha256: null });
  const socket = await listen();
  t.teardown(async () => {
    socket.close();
    await core.close();
  });
  const well = await infoAt(socket, 1, port);
  t.same(well.overruns, [[7000, 7001]]);
  haveAllTold = false;
  t.ok(((await infoAt(socket, 2, port)).lateMs ?? 0) >= 1000, 'who does not tell in time is that late');
});

t.test('another process answers from its port', LINUX_ONLY, async (t) => {
  const two = [
    { address: '127.0.53.1', publicAddress: '192.0.2.1' },
    { address: '127.0.53.2', publicAddress: '192.0.2.2' },
  ];
  const warnings: string[] = [];
  const reflector = await startReflector({
    listeners: two,
    ports: { udp: [3478, ...portsFrom(FIRST_PORT, 255), 4000, 3479], tcp: [] },
    tokens: [{ name: 'test', token: TOKEN }],
    credentials,
    version: '0.1.0',
    processes: 2,
    warn: (message) => warnings.push(message),
  });
  const socket = await listen();
  t.teardown(async () => {
    socket.close();
    await reflector.close();
  });
  if (warnings.length > 0) return void t.pass(`3478 is taken here: ${warnings[0]}`);
  for (const [changeIp, changePort] of [
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const request = stunRequest(
      { kind: 'change-request', changeIp, changePort },
      {
        kind: 'opaque',
        type: STUN_TAG_ATTRIBUTE,
        value: Buffer.concat([requestTag(1 + Number(changeIp) * 2 + Number(changePort)), Buffer.alloc(120)]),
      },
    );
    const heard = once(socket, 'message', { signal: AbortSignal.timeout(WITHIN_MS) });
    socket.send(request, 3478, '127.0.53.1');
    const [bytes, from] = (await heard) as [Buffer, { address: string; port: number }];
    t.equal(from.address, changeIp ? '127.0.53.2' : '127.0.53.1');
    t.equal(from.port, changePort ? 3479 : 3478);
    const parsed = parseStun(bytes);
    t.match(parsed.ok && attributeOf(parsed.value, 'response-origin'), {
      address: changeIp ? '192.0.2.2' : '192.0.2.1',
      port: from.port,
    });
  }
});

t.test('a process that ends is told', LINUX_ONLY, async (t) => {
  let tell: (error: Error) => void = () => undefined;
  const told = new Promise<Error>((resolve) => {
    tell = resolve;
  });
  const reflector = await start(portsFrom(FIRST_PORT, 260), 2, (error) => tell(error));
  const [child = 0] = childrenOf(process.pid);
  process.kill(child, 'SIGKILL');
  t.match((await told).message, /process \d+ of the reflector ended \(SIGKILL\)/);
  await reflector.close();
  t.same(childrenOf(process.pid), [], 'and none is left behind');
});

/** The stub resolver where the first of two servers is silent: every question is answered by the other. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createStub } from '../../src/net/stub.js';

const PATIENCE_MS = 1500;
/** Beyond the time after which the next server is asked, so that some are asked again just as others are answered. */
const QUESTIONS = 60;
const EVERY_MS = 12;

const bound = async (): Promise<Socket> => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket;
};

/** The question with one A record of 192.0.2.1 behind it (RFC 1035 §4.1), its name by a pointer to the question's. */
const answerTo = (query: Buffer): Buffer => {
  // Without what stands behind the question (EDNS): the name ends with a zero, type and class follow.
  const end = query.indexOf(0, 12) + 5;
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8180, 2);
  for (const [at, count] of [
    [4, 1],
    [6, 1],
    [8, 0],
    [10, 0],
  ] as const)
    head.writeUInt16BE(count, at);
  return Buffer.concat([head, Buffer.from('c00c00010001000000780004c0000201', 'hex')]);
};

t.test('a silent server costs time and no answer', async (t) => {
  const silent = await bound();
  const good = await bound();
  good.on('message', (query, from) => good.send(answerTo(query), from.port, from.address));
  const servers = [silent, good].map((socket) => `127.0.0.1:${socket.address().port}`);
  const stub = createStub({ servers, patienceMs: PATIENCE_MS });
  const signal = AbortSignal.timeout(60_000);
  const asked = Array.from({ length: QUESTIONS }, async (_, index) => {
    await sleep(index * EVERY_MS);
    return stub.ask(`name-${index}.example`, 'A', signal);
  });
  const failed = (await Promise.all(asked)).flatMap((one) => (one.ok ? [] : one.refusal));
  t.same(failed, []);
});

/** An agent whose receivers hang, whose disk is full or taken away, and whose ports strangers sit on. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openControl } from '../../src/agent/control.js';
import type { Exporter } from '../../src/agent/exporters/contract.js';
import { createPoster } from '../../src/agent/exporters/http-post.js';
import { healthOf } from '../../src/agent/health.js';
import { openPositions } from '../../src/agent/spool/positions.js';
import { openSpool } from '../../src/agent/spool/spool.js';
import { boundConnections, HTTP_LIMITS } from '../../src/net/http-guests.js';
import { agentIn, stateRoot } from './support/agent.js';
import { NEVER, open, reportRecord } from './support/exporter.js';

const folderOf = (t: { teardown(end: () => unknown): unknown }): string => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-hardening-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const portOf = (server: { address(): AddressInfo | string | null }): number => (server.address() as AddressInfo).port;

t.test('a receiver that hangs, or drips, ends by its deadline, and the next delivery goes through', async (t) => {
  let mode: 'silent' | 'drips' | 'well' = 'silent';
  const server = createServer((_request, response) => {
    if (mode === 'well') return void response.end('ok');
    if (mode === 'silent') return;
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target = new URL(`http://127.0.0.1:${portOf(server)}/`);
  const poster = createPoster(target, {}, Date.now, { idleMs: 200, overallMs: 600 });
  t.teardown(() => {
    poster.close();
    server.closeAllConnections();
    server.close();
  });
  const { signal } = new AbortController();
  t.match(await poster.post(Buffer.from('{}'), {}, signal), {
    ok: false,
    delivery: { outcome: 'retry', why: /silent/ },
  });
  mode = 'drips';
  t.match(await poster.post(Buffer.from('{}'), {}, signal), {
    ok: false,
    delivery: { outcome: 'retry', why: /whole/ },
  });
  mode = 'well';
  t.match(await poster.post(Buffer.from('{}'), {}, signal), { ok: true });
});

/** What an answer that never ends takes instead of a minute. */
const SOON = { idleMs: 2000, overallMs: 300 };

for (const { type, config } of [
  { type: 'webhook', config: (base: string) => ({ url: base }) },
  { type: 'otlp', config: (base: string) => ({ endpoint: base, metrics: true, logs: true }) },
] as const)
  t.test(`${type}: a receiver that drips is given up, and gets the same again once it is well`, async (t) => {
    let drips = true;
    let whole = 0;
    const server = createServer((request, response) => {
      request.resume();
      request.on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        if (!drips) {
          whole += 1;
          response.end('{}');
          return;
        }
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    const exporter = await open(t, type, config(`http://127.0.0.1:${portOf(server)}/`), { httpDeadlines: SOON });
    const records = [reportRecord(1)];
    t.match(await exporter.deliver(records, NEVER), { outcome: 'retry', why: /whole/ });
    drips = false;
    t.match(await exporter.deliver(records, NEVER), { outcome: 'delivered' });
    t.ok(whole > 0);
  });

t.test('a delivery that takes too long makes the agent unwell, and well again when it ends', async (t) => {
  const MINUTE = 60_000;
  const deliveries: ((what: Awaited<ReturnType<Exporter['deliver']>>) => void)[] = [];
  const exporter: Exporter = {
    name: 'slow',
    deliver: () => new Promise((resolve) => deliveries.push(resolve)),
    close: async () => undefined,
  };
  const folder = stateRoot();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { daemon, clock, stop } = await agentIn({ folder, exporters: [exporter] });
  const health = () => healthOf(daemon.state, { wall: clock.wall(), monotonic: clock.monotonic() });
  await clock.advance(0.9 * MINUTE);
  t.equal(deliveries.length, 1);
  t.same(health().problems, [], 'a batch may take a minute');
  await clock.advance(0.5 * MINUTE);
  const { healthy, alive, problems } = health();
  t.equal(healthy, false);
  t.match(problems, [/^exporter slow: a delivery to its receiver has been pending for \d+ s$/]);
  t.equal(alive, true, 'a restart would mend nothing');
  await clock.advance(2 * MINUTE);
  t.match(health().remarks, [/exporter slow: the delivery took longer than 150 s and was broken off/]);
  while (deliveries.length > 0) deliveries.shift()?.({ outcome: 'delivered' });
  await clock.advance(MINUTE / 10);
  while (deliveries.length > 0) {
    deliveries.shift()?.({ outcome: 'delivered' });
    await clock.advance(MINUTE / 10);
  }
  t.same(health().problems, []);
  const ending = stop();
  await clock.advance(MINUTE);
  await ending;
});

t.test('a position whose digits changed is not believed', async (t) => {
  const folder = folderOf(t);
  const said: string[] = [];
  const first = await openPositions(folder, ['a'], (what) => said.push(what));
  await first.advance('a', 1234);
  t.equal((await openPositions(folder, ['a'], (what) => said.push(what))).get('a'), 1234);
  t.same(said, []);
  const file = join(folder, 'a.position');
  writeFileSync(file, readFileSync(file, 'utf8').replace('1234', '1284'));
  t.equal((await openPositions(folder, ['a'], (what) => said.push(what))).get('a'), 0);
  t.match(said, [/unreadable/]);
});

const record = (number: number) => ({
  id: `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`,
  kind: 'event' as const,
  at: '2026-11-27T00:00:00.000Z',
  target: '',
  body: { number },
});

t.test('a spool folder that is removed is noticed, told and made anew', async (t) => {
  const folder = join(folderOf(t), 'spool');
  const said: string[] = [];
  const spool = await openSpool({
    folder,
    policy: { maxBytes: 1e7, maxAgeMs: 1e9 },
    exporters: ['a'],
    now: () => null,
    say: (what) => said.push(what),
  });
  t.equal(await spool.append(record(1), 'event'), 'stored');
  rmSync(folder, { recursive: true });
  t.equal(await spool.append(record(2), 'event'), 'stored');
  t.equal(readdirSync(folder).filter((name) => name.endsWith('.log')).length, 1);
  t.match(said.join('; '), /were removed/);
  const { records, upTo } = await spool.read(0, { records: 10, bytes: 1e6 });
  t.same(
    records.map(({ record: { body } }) => body.number),
    [2],
  );
  t.equal(spool.stats().dropped.event, 1);
  await spool.advance('a', upTo);
  t.equal(readFileSync(join(folder, 'positions', 'a.position'), 'utf8').split(' ')[0], String(upTo));
  await spool.close();
});

t.test('on a full disk memory comes first, and nothing undelivered is dropped while it has room', async (t) => {
  let full = false;
  const spool = await openSpool({
    folder: join(folderOf(t), 'spool'),
    policy: { maxBytes: 1e7, maxAgeMs: 1e9 },
    exporters: ['a'],
    now: () => null,
    say: () => undefined,
    openFile: async (file) => {
      const { open } = await import('node:fs/promises');
      const handle = await open(file, 'a');
      return {
        write: ((...args: Parameters<typeof handle.write>) =>
          full
            ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
            : handle.write(...args)) as typeof handle.write,
        datasync: () => handle.datasync(),
        truncate: (length?: number) => handle.truncate(length),
        close: () => handle.close(),
      };
    },
  });
  for (let number = 0; number < 5; number += 1) await spool.append(record(number), 'event');
  full = true;
  for (let number = 5; number < 100; number += 1) t.equal(await spool.append(record(number), 'event'), 'held');
  t.equal(spool.stats().dropped.event, 0);
  t.equal(spool.stats().records, 5);
  t.equal(spool.stats().failing, 'ENOSPC');
  full = false;
  await spool.tend();
  t.equal(spool.stats().records, 100);
  t.equal(spool.stats().failing, null);
  await spool.close();
});

t.test('the door is held by the kernel, whether who holds it answers or not', async (t) => {
  const path = join(folderOf(t), 'agent.sock');
  // It holds the door and never says a word, as a process that is stopped.
  const stopped = createTcpServer(() => undefined).listen(path);
  await once(stopped, 'listening');
  await t.rejects(
    openControl(path, () => 1),
    { code: 'EADDRINUSE' },
  );
  await new Promise<void>((resolve) => stopped.close(() => resolve()));
  const close = await openControl(path, () => 1);
  await t.rejects(
    openControl(path, () => 2),
    { code: 'EADDRINUSE' },
  );
  await close();
});

t.test('idle connections make room for who asks', async (t) => {
  const server = createServer(HTTP_LIMITS, (_request, response) => response.end('here'));
  boundConnections(server, 8);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const idle: Socket[] = [];
  t.teardown(() => {
    for (const socket of idle) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  for (let number = 0; number < 30; number += 1) {
    const socket = connect(portOf(server), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'connect');
    idle.push(socket);
  }
  for (let number = 0; number < 5; number += 1) {
    const status = await new Promise((resolve) => {
      get({ host: '127.0.0.1', port: portOf(server), agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', resolve);
    });
    t.equal(status, 200);
  }
});

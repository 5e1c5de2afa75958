/** The exporters against files that are moved, cut and full, and against receivers that are slow, broken or elsewhere. */
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import type { Exporter, SpoolRecord } from '../../src/agent/exporters/contract.js';
import type { ExporterDeps } from '../../src/agent/exporters/deps.js';
import { checkExporter, type ExporterType } from '../../src/agent/exporters/registry.js';
import { UserError } from '../../src/model/user-error.js';
import { makeCredentials } from '../../src/reflector/certificate.js';

const AT = Date.parse('2026-03-01T12:00:00Z');
const NEVER = new AbortController().signal;

const record = (number: number, size = 10): SpoolRecord => ({
  id: `0195f0c0-0000-7000-8000-${String(number).padStart(12, '0')}`,
  kind: 'report',
  at: '2026-03-01T12:00:00.000Z',
  target: 'office',
  body: { schema: 'callpath.report/1', filler: 'x'.repeat(size) },
});
const LABELS = { agent: 'branch-17', site: 'Berlin' };

const ids = (records: readonly { readonly id: string }[]): readonly number[] =>
  records.map(({ id }) => Number(id.slice(-12)));

const folderFor = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-exporters-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const open = async (t: Test, type: ExporterType, config: unknown, said: string[] = []): Promise<Exporter> => {
  const checked = await checkExporter(type, config);
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
  const say = (_details: unknown, message: string): void => void said.push(message);
  const deps: ExporterDeps = {
    name: 'here',
    agentId: 'agent-1',
    version: '0.0.0',
    hostname: 'branch',
    labels: LABELS,
    staleAfterMs: () => Number.POSITIVE_INFINITY,
    log: { info: say, warn: say, error: say },
    now: () => AT,
    readFile,
    probe: null,
  };
  const exporter = await checked.exporter.open(deps);
  t.teardown(() => exporter.close());
  return exporter;
};

const lines = (path: string): readonly SpoolRecord[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SpoolRecord);

t.test('file: one line for each record, none twice, whatever came between', async (t) => {
  const path = join(folderFor(t), 'results.ndjson');
  const said: string[] = [];
  const first = await open(t, 'file', { path });
  t.same(await first.deliver([record(1), record(2)], NEVER), { outcome: 'delivered' });
  await first.close();
  // Killed after writing and before remembering it, and in the middle of the next line.
  appendFileSync(path, '{"id":"0195f0c0-0000-7000-8000-000000000003","kind":"rep');
  const second = await open(t, 'file', { path }, said);
  t.match(said, [/last line of the file was cut off/]);
  t.same(await second.deliver([record(1), record(2), record(3)], NEVER), { outcome: 'delivered' });
  t.same(ids(lines(path)), [1, 2, 3]);
  t.same(lines(path)[0], { ...record(1), labels: LABELS }, 'as it was stored, with who stored it');
  renameSync(path, `${path}.moved`);
  await second.deliver([record(4)], NEVER);
  t.same(ids(lines(path)), [4], 'moved away by logrotate: a new file');
});

t.test('file: emptied in place while it is open, and then the disk is full', async (t) => {
  const path = join(folderFor(t), 'results.ndjson');
  const exporter = await open(t, 'file', { path, maxMegabytes: 1 });
  await exporter.deliver([record(1, 700_000)], NEVER);
  truncateSync(path);
  t.same(await exporter.deliver([record(2, 700_000)], NEVER), { outcome: 'delivered' });
  t.same(ids(lines(path)), [2], 'it is not set aside for what is no longer in it');
  t.notOk(existsSync(`${path}.1`));
  truncateSync(path);
  t.same(await exporter.deliver([record(3)], NEVER), { outcome: 'delivered' });
  t.notMatch(readFileSync(path, 'latin1'), '\0');
});

t.test('file: set aside when it has grown, the oldest forgotten', async (t) => {
  const path = join(folderFor(t), 'results.ndjson');
  const exporter = await open(t, 'file', { path, maxMegabytes: 1, keep: 2 });
  for (let number = 1; number <= 5; number += 1) {
    t.same(await exporter.deliver([record(number, 700_000)], NEVER), { outcome: 'delivered' });
  }
  t.same(ids(lines(path)), [5]);
  t.same(ids(lines(`${path}.1`)), [4]);
  t.same(ids(lines(`${path}.2`)), [3]);
  t.notOk(existsSync(`${path}.3`));
});

t.test('file: what cannot be written is said at the start, and tried again later', async (t) => {
  const folder = folderFor(t);
  await t.rejects(open(t, 'file', { path: join(folder, 'no', 'such.ndjson') }), {
    message: /exporter here: .*such\.ndjson cannot be written \(ENOENT\)/,
  });
  const path = join(folder, 'results.ndjson');
  const exporter = await open(t, 'file', { path });
  rmSync(path);
  mkdirSync(path);
  t.match(await exporter.deliver([record(1)], NEVER), { outcome: 'retry', why: /EISDIR/, afterMs: null });
  rmSync(path, { recursive: true });
  t.same(await exporter.deliver([record(1)], NEVER), { outcome: 'delivered' });
  t.same(ids(lines(path)), [1]);
});

interface Received {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver that does as `answer` says. */
const receiver = async (
  t: Test,
  answer: (response: ServerResponse, request: Received, count: number) => void,
): Promise<{ readonly url: string; readonly port: number; readonly received: Received[] }> => {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const body = String(Buffer.concat(await request.toArray().catch(() => [])));
    const one = { url: request.url ?? '', headers: request.headers, body };
    received.push(one);
    answer(response, one, received.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, port, received };
};

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = '') =>
  (response: ServerResponse): void => {
    response.writeHead(code, headers);
    response.end(body);
  };

t.test(
  'webhook: signed so that a receiver with the standard library believes it, and drops what it knows',
  async (t) => {
    const secretFile = join(folderFor(t), 'secret');
    const secret = `whsec_${Buffer.from('a secret of thirty-two bytes....').toString('base64')}`;
    writeFileSync(secretFile, `${secret}\n`);
    const { url, received } = await receiver(t, status(204));
    const exporter = await open(t, 'webhook', { url, secretFile, headers: { 'X-Site': 'berlin' } });
    t.same(await exporter.deliver([record(1)], NEVER), { outcome: 'delivered' });
    t.same(await exporter.deliver([record(1), record(2)], NEVER), { outcome: 'delivered' });
    t.same(await exporter.deliver([record(1), record(2)], NEVER), { outcome: 'delivered' });
    const [one, two, again] = received;
    if (!one || !two || !again) throw new Error('three requests were sent');
    t.match(one.headers, { 'content-type': 'application/json', 'x-site': 'berlin', 'idempotency-key': record(1).id });
    t.equal(two.headers['webhook-id'], again.headers['webhook-id'], 'the same records, the same id');
    t.not(one.headers['webhook-id'], two.headers['webhook-id']);
    // The library checks the time as well, against the clock of today.
    const wall = Date.now;
    Date.now = () => AT + 1000;
    t.teardown(() => {
      Date.now = wall;
    });
    const told = new Webhook(secret).verify(two.body, two.headers as Record<string, string>) as {
      readonly schema: string;
      readonly agent: string;
      readonly records: readonly SpoolRecord[];
    };
    t.same(
      told.records.map((one) => 'labels' in one && one.labels),
      [LABELS, LABELS],
    );
    t.same([told.schema, told.agent, ids(told.records)], ['callpath.records/1', 'agent-1', [1, 2]]);
    t.throws(() =>
      new Webhook(secret).verify(two.body.replace('office', 'oftice'), two.headers as Record<string, string>),
    );
    Date.now = wall;
  },
);

t.test('webhook: what an answer means for the records', async (t) => {
  const cases: readonly (readonly [name: string, answer: (response: ServerResponse) => void, means: object])[] = [
    ['taken', status(200), { outcome: 'delivered' }],
    ['a fault of the receiver', status(500), { outcome: 'retry', why: /answers 500/, afterMs: null }],
    ['busy, in seconds', status(429, { 'retry-after': '17' }), { outcome: 'retry', afterMs: 17_000 }],
    [
      'busy, until a time',
      status(503, { 'retry-after': 'Sun, 01 Mar 2026 12:01:00 GMT' }),
      { outcome: 'retry', afterMs: 60_000 },
    ],
    [
      'busy, until a time that is over',
      status(503, { 'retry-after': 'Sun, 01 Mar 2020 12:00:00 GMT' }),
      { outcome: 'retry', afterMs: null },
    ],
    ['busy, for no time at all', status(503, { 'retry-after': '0' }), { outcome: 'retry', afterMs: null }],
    ['busy, for nonsense', status(503, { 'retry-after': 'soon' }), { outcome: 'retry', afterMs: null }],
    ['a wrong secret, which an operator mends', status(401), { outcome: 'retry', why: /answers 401/ }],
    [
      'never to be taken',
      status(422, {}, 'no such\u001b[31m schema'),
      { outcome: 'refused', why: /422.*no such.*schema/ },
    ],
    ['elsewhere', status(307, { location: 'http://127.0.0.2:9/' }), { outcome: 'retry', why: /redirect|another/ }],
    ['in a circle', status(308, { location: '/hook' }), { outcome: 'retry', why: /circle/ }],
    ['cut off', (response) => response.destroy(), { outcome: 'retry', why: /no answer/ }],
    [
      'cut off in the middle',
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        setImmediate(() => response.destroy());
      },
      { outcome: 'retry', why: /no answer/ },
    ],
    ['far too much', (response) => response.end('x'.repeat(1_000_000)), { outcome: 'delivered' }],
  ];
  for (const [name, answer, means] of cases) {
    const { url } = await receiver(t, answer);
    const exporter = await open(t, 'webhook', { url });
    const delivery = await exporter.deliver([record(1)], NEVER);
    t.match(delivery, means, name);
    t.notMatch(JSON.stringify(delivery), /\\u001b/, `${name}: nothing of it can paint a terminal`);
  }
});

t.test('webhook: one that never answers is left when the signal says so', async (t) => {
  let arrived: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { url } = await receiver(t, () => arrived());
  const exporter = await open(t, 'webhook', { url });
  const controller = new AbortController();
  const delivery = exporter.deliver([record(1)], controller.signal);
  await asked;
  controller.abort(new Error('the agent stops'));
  t.match(await delivery, { outcome: 'retry', why: /the agent stops/ });
});

t.test('webhook: over TLS to a receiver of the own authority, and to no other', async (t) => {
  const folder = folderFor(t);
  const credentials = await makeCredentials();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, credentials.cert);
  const server = createSecureServer({ cert: credentials.cert, key: credentials.key }, (request, response) => {
    request.resume();
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const stranger = await open(t, 'webhook', { url: `https://127.0.0.1:${port}/` });
  t.match(await stranger.deliver([record(1)], NEVER), { outcome: 'retry', why: /SELF_SIGNED/ });
  const known = await open(t, 'webhook', { url: `https://127.0.0.1:${port}/`, caFile });
  t.match(
    await known.deliver([record(1)], NEVER),
    { outcome: 'retry', why: /ALTNAME/ },
    'and the name has to be its own',
  );
});

t.test('mistakes in the configuration name the key and the fix', async (t) => {
  const issues = async (type: ExporterType, config: unknown): Promise<string> => {
    const checked = await checkExporter(type, config);
    return checked.ok ? 'ok' : checked.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  };
  t.match(await issues('webhook', {}), /^url: /);
  t.match(await issues('webhook', { url: 'ftp://a.example/' }), /url: .*https:\/\//);
  t.match(await issues('webhook', { url: 'https://user:pass@a.example/' }), /without user, password/);
  t.match(await issues('webhook', { url: 'https://a.example/', secret: 'x' }), /secret: .*secretFile/);
  t.match(await issues('webhook', { url: 'https://a.example/', headers: { 'a b': 'c' } }), /HTTP header name/);
  t.match(await issues('file', { path: 'x', keep: -1 }), /keep: .*0 to 1000/);
  const secretFile = join(folderFor(t), 'secret');
  writeFileSync(secretFile, 'short');
  await t.rejects(open(t, 'webhook', { url: 'https://a.example/', secretFile }), UserError);
});

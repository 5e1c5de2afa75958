/** `otlp` and `zabbix`: against the published definitions, and receivers that answer as real ones do. */
import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createLatest } from '../../src/agent/exporters/latest.js';
import { encodeLogs, encodeMetrics } from '../../src/agent/exporters/otlp-encode.js';
import { checkExporter } from '../../src/agent/exporters/registry.js';
import { encodeZabbix, readZabbixAnswer, valuesOf } from '../../src/agent/exporters/zabbix-encode.js';
import { GOLDEN } from '../report/fixtures.js';
import { ACTIVE } from '../report/inert.js';
import { AT, changeRecord, HOSTILE, LABELS, NEVER, open, reportRecord } from './support/exporter.js';

/** As protobufjs makes it of the published .proto files. */
interface Message {
  fromObject(value: unknown): unknown;
  toObject(value: unknown, options: object): unknown;
  encode(value: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  verify(value: unknown): string | null;
}
const proto = createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root') as {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: Message } };
        readonly logs: { readonly v1: { readonly ExportLogsServiceRequest: Message } };
      };
    };
  };
};
const METRICS = proto.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
const LOGS = proto.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;

/** What is left of JSON after the definitions had it: what they do not name is gone, and numbers have their width. */
const understood = (message: Message, json: unknown): unknown => {
  const value = message.decode(message.encode(message.fromObject(json)).finish());
  return message.toObject(value, { longs: String, json: true });
};

const RESOURCE = { agentId: 'agent-1', hostname: HOSTILE, version: '1.2.3', labels: LABELS };
const latest = () => createLatest(() => Number.POSITIVE_INFINITY);
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Proto3 does not send what is zero or empty; JSON may. */
const without0 = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(without0)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, item]) => item !== '' && item !== 0 && item !== '0')
            .map(([key, item]) => [key, without0(item)]),
        )
      : value;

t.test('OTLP: the published definitions know every field, and lose none', async (t) => {
  const records = [...GOLDEN.map((golden, index) => reportRecord(index, golden)), changeRecord(50, HOSTILE, HOSTILE)];
  const metrics = json(encodeMetrics(records, RESOURCE, latest())) as { resourceMetrics: object[] };
  const logs = json(encodeLogs(records, RESOURCE, AT)) as { resourceLogs: object[] };
  // A lone surrogate cannot go through protobuf; collectors read the JSON itself.
  const whole = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll('\\ud800', '\\ufffd'));
  const metricsBack = understood(METRICS, whole(metrics)) as typeof metrics;
  t.same(without0(metricsBack), without0(whole(metrics)));
  t.same(without0(understood(LOGS, whole(logs))), without0(whole(logs)));
  t.match(metrics, {
    resourceMetrics: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'callpath' } }] } }],
  });
  const points = JSON.stringify(metrics);
  t.match(points, JSON.stringify({ key: 'site', value: { stringValue: 'Berlin' } }), 'each point has its site');
  t.match(JSON.stringify(logs), JSON.stringify({ key: 'callpath.agent', value: { stringValue: 'branch-17' } }));
  t.match(points, `"timeUnixNano":"${(AT + 1000) * 1_000_000}`.slice(0, 30), 'the time of the run');
  t.equal(encodeMetrics([changeRecord(1)], RESOURCE, latest()), null, 'a change has no metrics');
  for (const text of JSON.stringify(logs).matchAll(/"body":\{"stringValue":("(?:[^"\\]|\\.)*")/g))
    t.notMatch(JSON.parse(text[1] ?? '""'), ACTIVE);
});

interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

const collector = async (t: Test, answer: (response: ServerResponse, asked: Asked) => void) => {
  const asked: Asked[] = [];
  const server = createHttp(async (request, response) => {
    const bytes = Buffer.concat(await request.toArray());
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
    const one = { path: request.url ?? '', headers: request.headers, body: JSON.parse(text.toString()) as unknown };
    asked.push(one);
    answer(response, one);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

t.test('OTLP: two requests, whose answers are read as the specification says', async (t) => {
  let status = 200;
  let body = '{}';
  let metricsStatus: number | null = null;
  const { asked, endpoint } = await collector(t, (response, { path }) => {
    response.writeHead((path.endsWith('metrics') ? metricsStatus : null) ?? status, {
      'content-type': 'application/json',
    });
    response.end(body);
  });
  const said: string[] = [];
  const exporter = await open(t, 'otlp', { endpoint: `${endpoint}/base/` }, { said });
  t.same(await exporter.deliver([reportRecord(1), changeRecord(2)], NEVER), { outcome: 'delivered' });
  t.same(
    asked.map(({ path, headers }) => [path, headers['content-type']]),
    [
      ['/base/v1/metrics', 'application/json'],
      ['/base/v1/logs', 'application/json'],
    ],
  );
  for (const { path, body: sent } of asked) {
    const message = path.endsWith('metrics') ? METRICS : LOGS;
    t.equal(message.verify(message.fromObject(sent)), null, `${path} as it went over the line`);
  }
  body = JSON.stringify({ partialSuccess: { rejectedDataPoints: '3', errorMessage: HOSTILE } });
  t.same(await exporter.deliver([reportRecord(3)], NEVER), { outcome: 'delivered' }, 'not to be sent again');
  t.match(said, [/kept out a part/]);
  body = '{}';
  for (const [code, outcome] of [
    [503, 'retry'],
    [429, 'retry'],
    [401, 'retry'],
    [400, 'refused'],
  ] as const) {
    status = code;
    t.match(await exporter.deliver([reportRecord(4)], NEVER), { outcome }, String(code));
  }
  status = 200;
  metricsStatus = 400;
  asked.length = 0;
  t.match(await exporter.deliver([reportRecord(6)], NEVER), { outcome: 'refused' });
  t.match(asked.at(-1)?.path, /logs$/, 'a collector that takes no metrics gets the logs all the same');
  metricsStatus = null;
  const logsOnly = await open(t, 'otlp', { endpoint, metrics: false, compression: 'none' });
  asked.length = 0;
  t.same(await logsOnly.deliver([reportRecord(5)], NEVER), { outcome: 'delivered' });
  t.same(
    asked.map(({ path, headers }) => [path, headers['content-encoding']]),
    [['/v1/logs', undefined]],
  );
});

/** A trapper: takes one request per connection, answers it with what `answer` returns. */
const trapper = async (t: Test, answer: (request: ZabbixRequest) => Buffer) => {
  const requests: ZabbixRequest[] = [];
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 13 || received.length < 13 + received.readUInt32LE(5)) return;
      const request = JSON.parse(received.subarray(13).toString()) as ZabbixRequest;
      requests.push(request);
      socket.end(answer(request));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { requests, at: `127.0.0.1:${(server.address() as AddressInfo).port}` };
};
interface ZabbixRequest {
  readonly request: string;
  readonly data: readonly {
    readonly host: string;
    readonly key: string;
    readonly value: string;
    readonly clock: number;
  }[];
}
const info = (processed: number, failed: number): Buffer =>
  encodeZabbix({
    response: 'success',
    info: `processed: ${processed}; failed: ${failed}; total: ${processed + failed}; seconds spent: 0.000055`,
  });

t.test('Zabbix: the frame of zabbix_sender, octet by octet', async (t) => {
  t.equal(encodeZabbix({ a: 1 }).toString('hex'), '5a4258440107000000000000007b2261223a317d');
  const whole = info(2, 1);
  t.match(readZabbixAnswer(whole), { kind: 'answer', success: true, processed: 2, failed: 1 });
  for (let length = 0; length < whole.length; length += 1)
    t.equal(readZabbixAnswer(whole.subarray(0, length)).kind, 'partial', `${length} octets`);
  const huge = Buffer.from(whole);
  huge.writeUInt32LE(0x7fffffff, 5);
  const compressed = Buffer.from(whole);
  compressed.writeUInt8(3, 4);
  for (const bytes of [huge, compressed, Buffer.from('HTTP/1.1 400'), encodeZabbix({ response: 'success' })])
    t.equal(readZabbixAnswer(bytes).kind, 'malformed');
});

t.test('Zabbix: values of trapper items, at the time of the run', async (t) => {
  const { requests, at } = await trapper(t, ({ data }) => info(data.length, 0));
  const exporter = await open(t, 'zabbix', { server: at, host: 'branch-17' });
  t.same(await exporter.deliver([reportRecord(1), changeRecord(2, HOSTILE, HOSTILE)], NEVER), { outcome: 'delivered' });
  const [lists = { request: '', data: [] }, { request, data } = { request: '', data: [] }] = requests;
  t.equal(request, 'sender data');
  t.match(
    data.find(({ key }) => key === 'callpath.success["office"]'),
    { host: 'branch-17', value: '1', clock: AT / 1000 + 1 },
  );
  t.equal(data.find(({ key }) => key === 'callpath.service["office","business-sip"]')?.value, '0');
  t.ok(data.some(({ key }) => /^callpath\.check\["office","sip-options\/udp\/5060"\]$/.test(key)));
  const discovered = lists.data.find(({ key }) => key === 'callpath.discovery.services');
  t.match(JSON.parse(discovered?.value ?? ''), [{ '{#TARGET}': 'office', '{#PROFILE}': 'business-sip' }]);
  const hostile = data.at(-1);
  t.match(hostile?.key, /^callpath\.change\["(?:[^"]|\\")*"\]$/);
  t.notMatch(`${hostile?.key}${hostile?.value}`, ACTIVE);
  t.equal(valuesOf({ ...reportRecord(1), at: 'never' }, 'h', latest())[0]?.clock, 0);
});

t.test('Zabbix: what an answer means for the records', async (t) => {
  const cases: readonly (readonly [name: string, answer: Buffer, means: object])[] = [
    ['some items are unknown', info(3, 2), { outcome: 'delivered' }],
    ['none is known', info(0, 5), { outcome: 'retry', why: /no value was taken/ }],
    ['refused', encodeZabbix({ response: 'failed', info: HOSTILE }), { outcome: 'retry', why: /refuses/ }],
    ['no Zabbix', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), { outcome: 'retry', why: /does not speak/ }],
    ['nothing', Buffer.alloc(0), { outcome: 'retry', why: /without an answer/ }],
  ];
  for (const [name, answer, means] of cases) {
    const { at } = await trapper(t, () => answer);
    const delivery = await (await open(t, 'zabbix', { server: at })).deliver([reportRecord(1)], NEVER);
    t.match(delivery, means, name);
    t.notMatch(JSON.stringify(delivery), /\\u001b/);
  }
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const stop = new AbortController();
  const exporter = await open(t, 'zabbix', { server: `127.0.0.1:${(silent.address() as AddressInfo).port}` });
  const delivery = exporter.deliver([reportRecord(1)], stop.signal);
  const [socket] = await once(silent, 'connection');
  stop.abort(new Error('the agent stops'));
  t.match(await delivery, { outcome: 'retry', why: /the agent stops/ });
  socket.destroy();
  const checked = await checkExporter('zabbix', { server: 'zabbix', transport: 'udp' });
  t.match(checked.ok ? [] : checked.issues.map(({ message }) => message), [/host:port/, /udp/]);
});

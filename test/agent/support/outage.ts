/** The uplink is cut for simulated hours; afterwards a real nats-server, a receiver of webhooks and a file are counted. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { SpoolRecord } from '../../../src/agent/exporters/contract.js';
import { agentIn, configOf } from './agent.js';
import { open } from './exporter.js';
import { folderFor, type Owner, startService, uplink } from './services.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Real milliseconds in which a receiver answers, while simulated time stands still. */
const TURN_MS = 20;
const MAX_TURNS = 3000;

const idsIn = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as SpoolRecord).id);

export interface Outage {
  readonly summary: string;
  readonly faults: readonly string[];
}

export const outage = async (t: Owner, hours: number): Promise<Outage> => {
  const folder = folderFor(t);
  const server = startService(t, 'nats-server', ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', folder], folder);
  const natsPort = await server.port('tcp');
  const posted: string[] = [];
  const http = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString()) as { records: readonly SpoolRecord[] };
    posted.push(...body.records.map(({ id }) => id));
    response.end();
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.teardown(() => {
    http.closeAllConnections();
    http.close();
  });
  const connection = await connect({ servers: `127.0.0.1:${natsPort}`, reconnect: false });
  t.teardown(() => connection.close());
  const manager = await jetstreamManager(connection, { timeout: MINUTE });
  await manager.streams.add({ name: 'CALLPATH', subjects: ['callpath.>'] });
  const ways = { nats: await uplink(t), webhook: await uplink(t) };
  ways.nats.leadTo(natsPort);
  ways.webhook.leadTo((http.address() as AddressInfo).port);
  const path = join(folder, 'results.ndjson');

  const config = configOf({
    targets: [{ name: 'hq', host: 'reflector.example', schedules: [{ kind: 'light', every: '5m' }] }],
  });
  const { daemon, state, clock, stop } = await agentIn({
    folder: join(folder, 'state'),
    config,
    exporters: [
      await open(t, 'nats', { servers: [`nats://${ways.nats.at}`] }, { name: 'nats' }),
      await open(t, 'webhook', { url: `http://${ways.webhook.at}/` }, { name: 'webhook' }),
      await open(t, 'file', { path }, { name: 'file' }),
    ],
  });
  const waiting = (name: string): number => daemon.state.spool.stats().waiting[name] ?? 0;
  /** Lets receivers answer and waits pass, until nothing waits. */
  const drain = async (): Promise<void> => {
    for (let turn = 0; turn < MAX_TURNS && ['nats', 'webhook', 'file'].some((name) => waiting(name) > 0); turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
      await clock.advance(1000);
    }
  };
  await clock.advance(10 * MINUTE);
  await drain();
  await Promise.all([ways.nats.cut(), ways.webhook.cut()]);
  for (let passed = 0; passed < hours * HOUR; passed += 5 * MINUTE) {
    await clock.advance(5 * MINUTE);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const held = waiting('nats');
  await Promise.all([ways.nats.mend(), ways.webhook.mend()]);
  await drain();
  const { state: stream } = await manager.streams.info('CALLPATH');
  const stored: string[] = [];
  for (let seq = 1; seq <= stream.last_seq; seq += 1) {
    const message = await manager.streams.getMessage('CALLPATH', { seq });
    stored.push(message?.header.get('Nats-Msg-Id') ?? 'gone');
  }
  const { records } = await daemon.state.spool.read(0, { records: 1e6, bytes: 1e9 });
  const arrived = [...posted];
  const written = idsIn(readFileSync(path, 'utf8'));
  await stop();
  const wanted = new Set(records.map(({ record }) => record.id));
  const received = { nats: stored, webhook: arrived, file: written };
  return {
    summary: `${state.runs} runs, ${hours} h without uplink, ${held} results are queueded, ${wanted.size} to arrive; ${Object.entries(
      received,
    )
      .map(([name, ids]) => `${name} ${ids.length}`)
      .join(', ')}`,
    faults: [
      ...(held < hours * 12 ? [`only ${held} results are queueded`] : []),
      ...(wanted.size < state.runs ? [`${wanted.size} results of ${state.runs} runs are in the spool`] : []),
      ...Object.entries(received).flatMap(([name, ids]) => {
        const unique = new Set(ids);
        const lost = [...wanted].filter((id) => !unique.has(id)).length;
        return [
          ...(lost > 0 ? [`${name} misses ${lost}`] : []),
          ...(unique.size < ids.length ? [`${name} has ${ids.length - unique.size} twice`] : []),
        ];
      }),
    ],
  };
};

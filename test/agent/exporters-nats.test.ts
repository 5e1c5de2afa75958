/** `nats`: to a real nats-server with JetStream, which is killed, forgets, and is asked who has the right. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { jetstream, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import t, { type Test } from 'tap';
import { checkExporter } from '../../src/agent/exporters/registry.js';
import { UserError } from '../../src/model/user-error.js';
import { changeRecord, HOSTILE, LABELS, NEVER, numbersOf, open, reportRecord } from './support/exporter.js';
import { folderFor, loopbackCertificate, missing, startService, until, uplink } from './support/services.js';

t.setTimeout(280_000);
const skip = missing('nats-server', 'nats-server');

/** Nanoseconds. The least that a server takes for its memory of ids. */
const SHORT_MEMORY = 100_000_000;

/** A server over a folder of its own, started again at will, behind one port. */
const natsServer = async (t: Test, config = '') => {
  const folder = folderFor(t);
  writeFileSync(
    join(folder, 'nats.conf'),
    `listen: "127.0.0.1:-1"\njetstream { store_dir: "${folder}/js" }\n${config}`,
  );
  const way = await uplink(t);
  const start = async () => {
    const service = startService(t, 'nats-server', ['-c', join(folder, 'nats.conf')], folder);
    way.leadTo(await service.port('tcp'));
    return service;
  };
  return { folder, way, start, service: await start() };
};

/** Everything that a stream holds, asked over a connection of the test's own. */
const reader = async (t: Test, at: string, options: object = {}) => {
  const connection = await connect({ servers: at, reconnect: false, timeout: 60_000, ...options });
  t.teardown(() => connection.close());
  const manager = await jetstreamManager(connection, { timeout: 60_000 });
  return {
    connection,
    manager,
    stored: async (): Promise<readonly StoredMsg[]> => {
      const { state } = await manager.streams.info('CALLPATH');
      const found: StoredMsg[] = [];
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
        const message = await manager.streams.getMessage('CALLPATH', { seq });
        if (message) found.push(message);
      }
      return found;
    },
  };
};
const ids = (messages: readonly StoredMsg[]): readonly number[] =>
  numbersOf(messages.map((message) => ({ id: message.header.get('Nats-Msg-Id') })));

t.test('each record once, whatever is repeated, killed and forgotten', { skip }, async (t) => {
  const { way, start, service } = await natsServer(t);
  const first = await reader(t, way.at);
  await first.manager.streams.add({ name: 'CALLPATH', subjects: ['callpath.>'] });
  const config = { servers: [`nats://${way.at}`] };
  const exporter = await open(t, 'nats', config);
  const records = [reportRecord(1), changeRecord(2, HOSTILE), { ...reportRecord(3), target: `h q.*>${HOSTILE}` }];
  t.same(await exporter.deliver(records, NEVER), { outcome: 'delivered' });
  const stored = await first.stored();
  t.same(
    stored.map(({ subject }) => subject),
    [
      'callpath.agent-1.office.report',
      'callpath.agent-1.office.change',
      stored[2]?.subject.match(/^callpath\.agent-1\.h_q___[\w-]+\.report$/)?.[0],
    ],
    'no name makes tokens or wildcards of its own',
  );
  t.same(
    JSON.parse(stored[1]?.string() ?? ''),
    JSON.parse(JSON.stringify({ ...records[1], labels: LABELS })),
    'the record as it was stored, with who stored it',
  );

  t.same(await exporter.deliver(records, NEVER), { outcome: 'delivered' });
  t.same(ids(await first.stored()), [1, 2, 3], 'sent again: the server knows the ids');

  await service.stop();
  t.match(await exporter.deliver([reportRecord(4)], NEVER), { outcome: 'retry', why: /^nats: /, afterMs: null });
  t.match(await exporter.deliver([reportRecord(4)], NEVER), { outcome: 'retry' });
  await start();
  t.same(await exporter.deliver([reportRecord(4)], NEVER), { outcome: 'delivered' }, 'and back');
  const second = await reader(t, way.at);
  t.same(ids(await second.stored()), [1, 2, 3, 4]);

  // A server whose memory of ids has passed, as after an outage of hours.
  await second.manager.streams.update('CALLPATH', { duplicate_window: SHORT_MEMORY });
  await second.manager.streams.add({ name: 'CLOCK', subjects: ['clock'], duplicate_window: SHORT_MEMORY });
  const js = jetstream(second.connection);
  await js.publish('clock', '', { msgID: 'tick' });
  await until('the server forgets an id', async () =>
    (await js.publish('clock', '', { msgID: 'tick' })).duplicate ? null : true,
  );
  const restarted = await open(t, 'nats', config);
  t.same(
    await restarted.deliver(
      [3, 4, 5, 6].map((n) => reportRecord(n)),
      NEVER,
    ),
    { outcome: 'delivered' },
  );
  t.same(ids(await second.stored()), [1, 2, 3, 4, 5, 6], 'the agent asked what the stream has');
  await restarted.close();
  t.same(await restarted.deliver([reportRecord(7)], NEVER), { outcome: 'delivered' }, 'a closed connection is opened');
});

t.test('what a server lacks is waited for, what it never takes is refused', { skip }, async (t) => {
  const { way } = await natsServer(t, 'max_payload: 4096');
  const exporter = await open(t, 'nats', { servers: [`nats://${way.at}`], subject: 'voip.probes' });
  t.match(await exporter.deliver([changeRecord(1)], NEVER), { outcome: 'retry', why: /^nats: / }, 'no stream yet');
  const { manager } = await reader(t, way.at);
  await manager.streams.add({ name: 'CALLPATH', subjects: ['voip.probes.>'] });
  t.same(await exporter.deliver([changeRecord(1)], NEVER), { outcome: 'delivered' });
  t.match(await exporter.deliver([changeRecord(2), reportRecord(3, 'open-network')], NEVER), {
    outcome: 'refused',
    why: /larger/,
  });
  t.same(await exporter.deliver([changeRecord(2)], NEVER), { outcome: 'delivered' }, 'its neighbour goes alone');
  await way.cut();
  t.match(await exporter.deliver([changeRecord(4)], NEVER), { outcome: 'retry' });
  await way.mend();
  t.same(await exporter.deliver([changeRecord(4)], NEVER), { outcome: 'delivered' });
  const again = await reader(t, way.at);
  await again.manager.streams.update('CALLPATH', { max_msgs: 3, discard: 'new' as never });
  t.match(await exporter.deliver([changeRecord(5)], NEVER), { outcome: 'retry', why: /maximum messages/ }, 'full');
  await again.manager.streams.update('CALLPATH', { max_msgs: -1, max_msg_size: 100 });
  t.match(await exporter.deliver([changeRecord(5)], NEVER), { outcome: 'refused', why: /larger than the stream/ });
});

t.test('with a token over TLS, and for nobody without', { skip }, async (t) => {
  const folder = folderFor(t);
  const { cert, certFile: caFile, keyFile } = await loopbackCertificate(folder);
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const tokenFile = file('token', 'a-token-that-is-long-enough\n');
  const { way } = await natsServer(
    t,
    `tls { cert_file: "${caFile}", key_file: "${keyFile}" }\nauthorization { token: "a-token-that-is-long-enough" }`,
  );
  const { manager, stored } = await reader(t, way.at, { tls: { ca: cert }, token: 'a-token-that-is-long-enough' });
  await manager.streams.add({ name: 'CALLPATH', subjects: ['callpath.>'] });
  const servers = [`tls://${way.at}`];
  const wrong = file('wrong', 'another-token-that-is-wrong\n');
  const cases = [
    ['an unknown authority', { servers, tokenFile }],
    ['a wrong token', { servers, caFile, tokenFile: wrong }],
    ['no token', { servers, caFile }],
  ] as const;
  for (const [name, config] of cases)
    t.match(await (await open(t, 'nats', config)).deliver([reportRecord(1)], NEVER), { outcome: 'retry' }, name);
  t.same(await stored(), []);
  const exporter = await open(t, 'nats', { servers, caFile, tokenFile });
  t.same(await exporter.deliver([reportRecord(1)], NEVER), { outcome: 'delivered' });
  t.same(ids(await stored()), [1]);
});

t.test('a server that says nothing is left when the agent stops', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const exporter = await open(t, 'nats', { servers: [`nats://127.0.0.1:${(server.address() as AddressInfo).port}`] });
  const stop = new AbortController();
  const delivery = exporter.deliver([reportRecord(1)], stop.signal);
  const [socket] = await once(server, 'connection');
  stop.abort(new Error('the agent stops'));
  t.match(await delivery, { outcome: 'retry', why: /the agent stops/ });
  socket.destroy();
});

t.test('mistakes name the key', async (t) => {
  const said = async (config: unknown): Promise<string> => {
    const checked = await checkExporter('nats', config);
    return checked.ok ? 'ok' : checked.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  };
  t.match(await said({ servers: [] }), /servers: is an empty list/);
  t.match(await said({ servers: ['http://a.example'] }), /servers.0: .*nats:\/\/host:4222/);
  t.match(await said({ servers: ['nats://user:pass@a.example'] }), /without user and password/);
  t.match(await said({ servers: ['nats://a.example'], subject: 'a.>' }), /subject: /);
  const folder = folderFor(t);
  writeFileSync(join(folder, 'token'), 'a-token-that-is-long-enough');
  const both = { tokenFile: join(folder, 'token'), credentialsFile: join(folder, 'token') };
  await t.rejects(open(t, 'nats', { servers: ['nats://a.example'], ...both }), UserError);
});

t.test(
  'a server that reads slowly, or stores and does not say so, is left by the deadline, and no record is lost',
  { skip },
  async (t) => {
    const { way, service } = await natsServer(t);
    const first = await reader(t, way.at);
    await first.manager.streams.add({ name: 'CALLPATH', subjects: ['callpath.>'] });
    const exporter = await open(t, 'nats', { servers: [`nats://${way.at}`] });
    t.same(await exporter.deliver([reportRecord(1)], NEVER), { outcome: 'delivered' });
    // It holds its connections, and neither reads nor answers, as one whose disk or processor is gone.
    service.child.kill('SIGSTOP');
    const delivery = exporter.deliver(
      Array.from({ length: 100 }, (_, index) => reportRecord(index + 2)),
      AbortSignal.timeout(2000),
    );
    t.match(await delivery, { outcome: 'retry' });
    service.child.kill('SIGCONT');
    t.same(
      await exporter.deliver(
        Array.from({ length: 100 }, (_, index) => reportRecord(index + 2)),
        NEVER,
      ),
      { outcome: 'delivered' },
    );
    t.same(
      ids(await first.stored()),
      Array.from({ length: 101 }, (_, index) => index + 1),
      'each once, in order',
    );
  },
);

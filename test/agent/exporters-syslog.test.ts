/** `syslog`: to a real rsyslogd over UDP, TCP and TLS; what a device wrote into a header stays one message. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { SpoolRecord } from '../../src/agent/exporters/contract.js';
import { checkExporter } from '../../src/agent/exporters/registry.js';
import { encodeSyslog, frameSyslog } from '../../src/agent/exporters/syslog-encode.js';
import { ACTIVE } from '../report/inert.js';
import { changeRecord, HOSTILE, NEVER, numbersOf, open, reportRecord } from './support/exporter.js';
import { folderFor, loopbackCertificate, missing, startService, until, uplink } from './support/services.js';

t.setTimeout(280_000);
const gtls = ['x86_64', 'aarch64'].some((machine) => existsSync(`/usr/lib/${machine}-linux-gnu/rsyslog/lmnsd_gtls.so`));
const skip = missing('rsyslog', 'rsyslogd') || (gtls ? false : 'needs rsyslog-gnutls');

const SENDER = {
  facility: 'local0',
  hostname: 'branch',
  agentId: 'agent-1',
  labels: { agent: 'branch-17', site: 'Berlin' },
  version: '1.2.3',
  processId: 42,
  maxBytes: 2048,
} as const;

/** What rsyslog understood of a message: one line of JSON. */
interface Understood {
  readonly pri: string;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly msgid: string;
  readonly data: string;
  readonly msg: string;
}

/** rsyslogd with one input of each kind, writing what it understands to a file. */
const startRsyslog = async (t: Test) => {
  const folder = folderFor(t);
  const { certFile, keyFile } = await loopbackCertificate(folder);
  const field = (name: string, property: string): string =>
    `constant(value="\\"${name}\\":\\"") property(name="${property}" format="json") constant(value="\\"")`;
  const fields = [
    field('pri', 'pri-text'),
    `constant(value="\\"time\\":\\"") property(name="timereported" dateFormat="rfc3339") constant(value="\\"")`,
    field('host', 'hostname'),
    field('app', 'app-name'),
    field('msgid', 'msgid'),
    field('data', 'structured-data'),
    field('msg', 'msg'),
  ].join('\n  constant(value=",") ');
  const out = join(folder, 'messages.ndjson');
  writeFileSync(
    join(folder, 'rsyslog.conf'),
    `global(workDirectory="${folder}" maxMessageSize="64k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${certFile}"
  defaultNetstreamDriverCertFile="${certFile}" defaultNetstreamDriverKeyFile="${keyFile}")
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="0")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="${folder}/tcp.port")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="${folder}/tls.port"
  streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="understood" type="list") { constant(value="{") ${fields} constant(value="}\\n") }
*.* action(type="omfile" file="${out}" template="understood" fileCreateMode="0644")
`,
  );
  const portIn = (name: string): Promise<number> =>
    until(`rsyslogd listens on ${name}:\n${service.said()}`, () => {
      if (service.child.exitCode !== null) throw new Error(service.said());
      const file = join(folder, name);
      const port = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      return port > 0 ? port : null;
    });
  const service = startService(
    t,
    'rsyslogd',
    ['-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'rsyslog.pid')],
    folder,
  );
  const understood = (): readonly Understood[] =>
    existsSync(out)
      ? readFileSync(out, 'utf8')
          .split('\n')
          .filter((line) => line.startsWith('{') && line.endsWith('}'))
          .map((line) => JSON.parse(line) as Understood)
          .filter(({ app }) => app === 'callpath')
      : [];
  return {
    caFile: certFile,
    tcp: await portIn('tcp.port'),
    tls: await portIn('tls.port'),
    udp: await service.port('udp'),
    service,
    understood,
    /** Resolves when so many messages were understood. */
    received: (count: number): Promise<readonly Understood[]> =>
      until(`${count} messages`, () => {
        const messages = understood();
        return messages.length >= count ? messages : null;
      }),
  };
};

/** One for the whole file: its start takes seconds. */
const receiver = skip === false ? await startRsyslog(t) : null;
const rsyslog = (): NonNullable<typeof receiver> => {
  if (receiver === null) throw new Error('rsyslogd runs unless the test is skipped');
  return receiver;
};

const idsOf = (messages: readonly Understood[]): readonly number[] =>
  numbersOf(messages.map(({ msg }) => JSON.parse(msg) as { id: string }));

t.test('rsyslog understands it over UDP, TCP and TLS', { skip }, async (t) => {
  const receiver = rsyslog();
  let count = 0;
  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    const exporter = await open(t, 'syslog', {
      server: `127.0.0.1:${receiver[transport]}`,
      transport,
      ...(transport === 'tls' ? { caFile: receiver.caFile } : {}),
    });
    const records = [
      reportRecord(count + 1),
      changeRecord(count + 2, HOSTILE, HOSTILE),
      reportRecord(count + 3, 'hostile'),
    ];
    t.same(await exporter.deliver(records, NEVER), { outcome: 'delivered' }, transport);
    count += records.length;
    const messages = (await receiver.received(count)).slice(-3);
    // UDP keeps no order, in principle.
    const [report, change] = [...messages].sort((a, b) => (a.msg < b.msg ? -1 : 1));
    t.match(report, { pri: 'local0.info', host: 'branch', msgid: 'report', time: /^2026-03-01T/ });
    t.match(report?.data, /^\[origin software="callpath" swVersion="0\.0\.0"\]$/);
    t.match(change, { pri: 'local0.err', msgid: 'change' });
    const said = JSON.parse(change?.msg ?? '') as { text: string; body: SpoolRecord['body']; target: string };
    t.notMatch(said.text, ACTIVE, 'the summary is one line that acts on nothing');
    t.same(
      said.body,
      JSON.parse(JSON.stringify(changeRecord(count - 1, HOSTILE, HOSTILE).body)),
      'the change is whole',
    );
  }
  t.equal(receiver.understood().length, count, 'nothing a message of its own');
  t.same(
    [...idsOf(receiver.understood())].sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

t.test('a receiver that goes and comes back gets the rest', { skip }, async (t) => {
  const receiver = rsyslog();
  const way = await uplink(t);
  way.leadTo(receiver.tcp);
  const exporter = await open(t, 'syslog', { server: way.at });
  t.same(await exporter.deliver([reportRecord(101)], NEVER), { outcome: 'delivered' });
  await receiver.received(10);
  await way.cut();
  t.match(await exporter.deliver([reportRecord(102)], NEVER), { outcome: 'retry' });
  await way.mend();
  t.same(await exporter.deliver([reportRecord(102)], NEVER), { outcome: 'delivered' });
  t.same(idsOf((await receiver.received(11)).slice(9)), [101, 102]);
});

t.test('without a receiver, to a stranger, to one that never reads', async (t) => {
  const nobody = createServer();
  nobody.listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address() as AddressInfo;
  const held: Socket[] = [];
  nobody.on('connection', (socket) => {
    held.push(socket.pause());
    socket.on('error', () => undefined);
  });
  t.teardown(() => {
    for (const socket of held) socket.destroy();
    nobody.close();
  });
  const stop = new AbortController();
  const deaf = await open(t, 'syslog', { server: `127.0.0.1:${port}` });
  const stuck = deaf.deliver([changeRecord(1)], stop.signal);
  const mute = await open(t, 'syslog', { server: `127.0.0.1:${port}`, transport: 'tls' });
  const greeting = mute.deliver([reportRecord(1)], stop.signal);
  await until('both have connected', () => (held.length === 2 ? true : null));
  stop.abort(new Error('the agent stops'));
  t.match(await stuck, { outcome: 'retry', why: /the agent stops/ }, 'written is not read');
  t.match(await greeting, { outcome: 'retry', why: /the agent stops|aborted/ });
  const gone = await open(t, 'syslog', { server: 'no-such-host.invalid:514', transport: 'udp' });
  t.match(await gone.deliver([reportRecord(1)], NEVER), { outcome: 'retry', why: /ENOTFOUND|EAI_AGAIN/ });
});

t.test('TLS to who has another authority is refused', { skip }, async (t) => {
  const receiver = rsyslog();
  const exporter = await open(t, 'syslog', { server: `127.0.0.1:${receiver.tls}`, transport: 'tls' });
  t.match(await exporter.deliver([reportRecord(1)], NEVER), { outcome: 'retry', why: /SELF_SIGNED|VERIFY/ });
});

t.test('the message, octet by octet', async (t) => {
  t.equal(
    encodeSyslog(changeRecord(1), SENDER).toString('latin1').split(' {')[0],
    '<131>1 2026-03-01T12:00:01.000Z branch callpath 42 change [origin software="callpath" swVersion="1.2.3"]',
  );
  const told = encodeSyslog(changeRecord(1), SENDER).toString();
  t.match(JSON.parse(told.slice(told.indexOf(' {') + 1)), { labels: { agent: 'branch-17', site: 'Berlin' } });
  const hostile = encodeSyslog(changeRecord(1, HOSTILE, HOSTILE), { ...SENDER, hostname: HOSTILE, version: 'x"]\\' });
  t.match(hostile.toString('latin1'), /^<131>1 \S+ [\x21-\x7e]+ callpath 42 change \[origin [\x20-\x7e]*$/);
  t.match(hostile.toString('latin1'), 'swVersion="x\\"\\]\\\\"]', 'three characters are escaped (RFC 5424 §6.3.3)');
  t.equal(
    encodeSyslog({ ...reportRecord(1), at: 'never' }, SENDER)
      .toString()
      .split(' ')[1],
    '-',
  );
  t.equal(frameSyslog(Buffer.from('abc')).toString(), '3 abc', 'RFC 6587 §3.4.1');
  for (const maxBytes of [480, 700, 1000]) {
    const long = changeRecord(1, 'x'.repeat(5000), HOSTILE.repeat(3));
    const message = encodeSyslog(long, { ...SENDER, maxBytes }).toString();
    t.ok(message.length <= maxBytes, `${message.length} octets of ${maxBytes}`);
    t.match(JSON.parse(message.slice(message.indexOf(' {') + 1)), { id: long.id }, 'still JSON, with its id');
  }
  const checked = await checkExporter('syslog', { server: 'a.example', transport: 'sctp', facility: 'kern' });
  t.match(checked.ok ? [] : checked.issues.map(({ message }) => message), [/host:port/, /sctp/, /local0/]);
});

/** `zabbix`: to a real proxy of Zabbix, plain and over TLS; what it takes lies in its tables. */
import { execFile, execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { changeRecord, NEVER, open, reportRecord } from './support/exporter.js';
import { APART, folderFor, loopbackCertificate, missing, programOf, startService, until } from './support/services.js';

t.setTimeout(280_000);
/** Debian's tables for the proxy that keeps them in SQLite; its siblings have the same program name. */
const SCHEMA = '/usr/share/zabbix-proxy-sqlite3/schema.sql.gz';
const skip =
  missing('zabbix-proxy-sqlite3, sqlite3', 'zabbix_proxy', 'sqlite3') ||
  (existsSync(SCHEMA) ? false : 'needs zabbix-proxy-sqlite3');

/** Zabbix's numbers for types of values. */
const FLOAT = 0;
const UNSIGNED = 3;
const TEXT = 4;

/** As an administrator types them from docs/monitoring.md; the last is an item that a hostile name would need. */
const ITEMS: readonly (readonly [key: string, valueType: number, flags?: number])[] = [
  ['callpath.success["office"]', UNSIGNED],
  ['callpath.loss["office"]', FLOAT],
  ['callpath.service["office","business-sip"]', FLOAT],
  ['callpath.check["office","sip-options/udp/5060"]', FLOAT],
  ['callpath.rtt["office","sip-options/udp/5060"]', FLOAT],
  ['callpath.rtt["office","stun-binding/udp/3478"]', FLOAT],
  ['callpath.change["office"]', TEXT],
  ['callpath.change["say \\"hello\\""]', TEXT],
];
/** How many of them, and of what else, a report of `office` has values for. */
const KNOWN = 6;
const UNKNOWN = 7;

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const tablesFor = (file: string): void => {
  const rows = ['plain', 'secure'].flatMap((host, index) => [
    // Accepts 1: unencrypted, 4: a certificate.
    `INSERT INTO hosts(hostid,host,name,status,tls_accept) VALUES(${index + 1},${text(host)},${text(host)},0,${host === 'plain' ? 1 : 4});`,
    ...ITEMS.flatMap(([key, valueType, flags = 0], number) => {
      const id = (index + 1) * 100 + number;
      return [
        // Type 2 is a trapper item.
        `INSERT INTO items(itemid,hostid,type,name,key_,value_type,flags) VALUES(${id},${index + 1},2,'',${text(key)},${valueType},${flags});`,
        `INSERT INTO item_rtdata(itemid) VALUES(${id});`,
      ];
    }),
  ]);
  const input = [gunzipSync(readFileSync(SCHEMA)).toString(), 'BEGIN;', ...rows, 'COMMIT;'].join('\n');
  execFileSync(programOf('sqlite3') ?? '', ['-bail', file], { input, stdio: ['pipe', 'pipe', 'pipe'] });
};

interface Row {
  readonly host: string;
  readonly key: string;
  readonly value: string;
  readonly clock: number;
  readonly ns: number;
  /** 1 if Zabbix could not make the item's type of it. */
  readonly state: number;
}

/** A proxy that waits for a server which never comes: what it has taken stays in its tables. */
const startProxy = async (t: Test) => {
  const folder = folderFor(t);
  // Built with GnuTLS it offers nothing for ECDSA unless TLSCipherCert says so.
  const { certFile, keyFile } = await loopbackCertificate(folder, 'rsa');
  const tables = join(folder, 'proxy.db');
  tablesFor(tables);
  const history = async (): Promise<readonly Row[]> => {
    const { stdout } = await promisify(execFile)(programOf('sqlite3') ?? '', [
      ...['-readonly', '-json', '-cmd', '.timeout 60000', tables],
      `SELECT host, key_ AS key, value, clock, ns, state FROM proxy_history JOIN items USING (itemid)
       JOIN hosts USING (hostid) ORDER BY id`,
    ]);
    // Of no rows sqlite3 says nothing.
    return stdout.trim() === '' ? [] : (JSON.parse(stdout) as readonly Row[]);
  };
  const startAt = async (port: number) => {
    writeFileSync(
      join(folder, 'proxy.conf'),
      `ProxyMode=1
Server=127.0.0.1
Hostname=proxy
ListenIP=${APART}
ListenPort=${port}
DBName=${tables}
LogType=console
PidFile=${folder}/proxy.pid
SocketDir=${folder}
AllowRoot=1
TLSAccept=unencrypted,cert
TLSCAFile=${certFile}
TLSCertFile=${certFile}
TLSKeyFile=${keyFile}
StartPollers=0
StartPollersUnreachable=0
StartPingers=0
StartDiscoverers=0
StartHTTPPollers=0
StartODBCPollers=0
StartPreprocessors=1
StartTrappers=2
`,
    );
    const service = startService(t, 'zabbix_proxy', ['-f', '-c', join(folder, 'proxy.conf')], folder);
    // Its many processes end with the first only if that is asked to.
    t.teardown(() => service.stop('SIGTERM'));
    await service.port('tcp');
    return service;
  };
  // It takes no port 0, and none that the kernel would choose (ListenPort ends at 32767): one that is taken ends it.
  for (let attempt = 1; ; attempt += 1) {
    const port = randomInt(10_000, 32_000);
    try {
      const service = await startAt(port);
      return { certFile, keyFile, at: `${APART}:${port}`, service, history };
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
};

/** The exporter's log with its figures. */
const logOf = () => {
  const said: object[] = [];
  const say = (details: unknown, message: string): void => void said.push({ ...Object(details), message });
  return { said, log: { info: say, warn: say, error: say } };
};

t.test(
  'Zabbix takes the values of known items, says how many others there were, and nothing waits',
  { skip },
  async (t) => {
    const proxy = await startProxy(t);
    const { said, log } = logOf();
    const plain = await open(t, 'zabbix', { server: proxy.at, host: 'plain' }, { log });

    // Its configuration is read after its port is open; until then it knows no host at all.
    const first = reportRecord(1);
    const delivery = await until(`a value is taken:\n${proxy.service.said()}`, async () => {
      const now = await plain.deliver([first], NEVER);
      if (now.outcome === 'retry' && /no value was taken|ECONN|closed/.test(now.why)) return null;
      return now;
    });
    t.same(delivery, { outcome: 'delivered' });
    const taken = await until('its values are in the tables', async () => {
      const rows = await proxy.history();
      return rows.length >= KNOWN ? rows : null;
    });
    t.match(said.at(-1), { exporter: 'here', processed: KNOWN, failed: UNKNOWN, message: /no trapper items/ });
    const at = { host: 'plain', clock: Date.parse(first.at) / 1000, ns: 0, state: 0 };
    const row = (key: string): Row | undefined => taken.find((one) => one.key === key);
    t.match(row('callpath.success["office"]'), { ...at, value: '1' });
    t.match(row('callpath.loss["office"]'), at);
    t.match(row('callpath.service["office","business-sip"]'), at);
    t.equal(Number(row('callpath.loss["office"]')?.value), 0.0107);
    t.equal(Number(row('callpath.service["office","business-sip"]')?.value), 0);
    t.equal(Number(row('callpath.check["office","sip-options/udp/5060"]')?.value), 0);
    t.equal(Number(row('callpath.rtt["office","sip-options/udp/5060"]')?.value), 0.00031);
    t.ok(Math.abs(Number(row('callpath.rtt["office","stun-binding/udp/3478"]')?.value) - 0.00028) < 1e-9);
    t.equal(taken.length, KNOWN, 'and nothing else');

    const warnings = said.length;
    t.same(await plain.deliver([reportRecord(2)], NEVER), { outcome: 'delivered' });
    t.equal(said.length, warnings, 'the same number of unknown items is not said again');
    const millis = { ...changeRecord(3), at: '2026-03-01T12:00:03.250Z' };
    t.same(await plain.deliver([millis, changeRecord(4, 'x', 'say "hello"')], NEVER), { outcome: 'delivered' });
    t.same(
      await plain.deliver([changeRecord(5, 'x', 'nowhere')], NEVER),
      { outcome: 'delivered' },
      'alone and unknown',
    );
    t.match(said.at(-1), { processed: 0, failed: 1 });
    t.match(
      await plain.deliver([reportRecord(6, 'loopback', 'nowhere')], NEVER),
      { outcome: 'retry' },
      'a whole report',
    );
    const more = await until('the changes are in the tables', async () => {
      const rows = (await proxy.history()).slice(2 * KNOWN);
      return rows.length >= 2 ? rows : null;
    });
    t.match(
      more.find(({ key }) => key === 'callpath.change["office"]'),
      { ...at, clock: at.clock + 2, ns: 250_000_000, value: 'sip-options/udp/5060 changed: pass -> blocked' },
    );
    t.ok(
      more.some(({ key }) => key === 'callpath.change["say \\"hello\\""]'),
      'a quote in a name is escaped as Zabbix has it',
    );

    const stranger = await open(t, 'zabbix', { server: proxy.at, host: 'nobody' });
    t.match(await stranger.deliver([first], NEVER), {
      outcome: 'retry',
      why: /no value was taken: processed: 0; failed/,
    });

    const { certFile, keyFile } = proxy;
    const pem = { caFile: certFile };
    const own = { ...pem, certFile, keyFile };
    const inClear = await open(t, 'zabbix', { server: proxy.at, host: 'secure' });
    t.match(await inClear.deliver([first], NEVER), { outcome: 'retry', why: /no value was taken/ }, 'it wants TLS');
    const nameless = await open(t, 'zabbix', { server: proxy.at, host: 'secure', transport: 'tls', ...pem });
    t.match(await nameless.deliver([first], NEVER), { outcome: 'retry' }, 'it wants a certificate');
    const { caFile: _, ...noAuthority } = own;
    const distrustful = await open(t, 'zabbix', { server: proxy.at, host: 'secure', transport: 'tls', ...noAuthority });
    t.match(await distrustful.deliver([first], NEVER), { outcome: 'retry', why: /SELF_SIGNED/ }, 'nobody vouches');
    const secure = await open(t, 'zabbix', { server: proxy.at, host: 'secure', transport: 'tls', ...own });
    t.same(await secure.deliver([first], NEVER), { outcome: 'delivered' }, 'over TLS');
    const overTls = await until('what came over TLS is in the tables', async () => {
      const rows = (await proxy.history()).filter(({ host }) => host === 'secure');
      return rows.length >= KNOWN ? rows : null;
    });
    t.same(overTls.map(({ key, value }) => [key, value]).sort(), taken.map(({ key, value }) => [key, value]).sort());

    await proxy.service.stop('SIGTERM');
    t.match(await plain.deliver([first], NEVER), { outcome: 'retry', why: /ECONNREFUSED/ }, 'gone');
  },
);

/** `prometheus` and `prometheus-textfile`: scraped by a real Prometheus, checked by promtool, asked by strangers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import type { Exporter, SpoolRecord } from '../../src/agent/exporters/contract.js';
import { checkExporter } from '../../src/agent/exporters/registry.js';
import type { ProbeRunner } from '../../src/agent/metrics/on-demand.js';
import { createRunNow } from '../../src/agent/metrics/run-now.js';
import { createBudget } from '../../src/agent/schedule/budget.js';
import { UserError } from '../../src/model/user-error.js';
import { GOLDEN, reportOf } from '../report/fixtures.js';
import { configOf } from './support/agent.js';
import { HOSTILE, NEVER, open, reportRecord } from './support/exporter.js';
import { folderFor, loopbackCertificate, missing, programOf, startService, until } from './support/services.js';

t.setTimeout(280_000);
const skip = missing('prometheus', 'prometheus', 'promtool');

const portOf = (exporter: Exporter): number => (exporter as Exporter & { readonly port: number }).port;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const get = (
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = requestHttp({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      response.toArray().then((chunks) => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks as Buffer[]).toString(),
        });
      }, reject);
    });
    asked.on('error', reject);
    asked.end();
  });

/** What promtool finds fault with; empty if nothing. */
const lint = (text: string): string => {
  const { status, stderr, stdout } = spawnSync(programOf('promtool') ?? '', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return status === 0 ? `${stdout}${stderr}` : `status ${status}: ${stdout}${stderr}`;
};

/** A runner that answers at once with a report of the fixtures, and remembers what it was asked. */
const fakeRunner = (asked: string[] = []): ProbeRunner => ({
  targets: ['office', 'hq'],
  modules: ['business-sip'],
  whyNot: () => null,
  run: async (target, module, timeoutMs) => {
    asked.push(`${target} ${module} ${timeoutMs}`);
    return reportOf(target === 'hq' ? 'media-blocked' : 'loopback');
  },
});

t.test('a real Prometheus scrapes it over TLS with a secret, and probes on demand', { skip }, async (t) => {
  const folder = folderFor(t);
  const { certFile, keyFile } = await loopbackCertificate(folder);
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const secretFile = file('secret', 'a-secret-that-is-long-enough\n');
  const asked: string[] = [];
  const probe = fakeRunner(asked);
  const exporter = await open(t, 'prometheus', { listen: '127.0.0.1:0', secretFile, certFile, keyFile }, { probe });
  await exporter.deliver(
    [reportRecord(1), reportRecord(2, 'hostile', HOSTILE), reportRecord(3, 'media-blocked', 'hq')],
    NEVER,
  );
  const here = `127.0.0.1:${portOf(exporter)}`;
  const scrape = `
    scheme: https
    authorization: { credentials_file: ${secretFile} }
    tls_config: { ca_file: ${certFile} }`;
  const config = file(
    'prometheus.yml',
    `global: { scrape_interval: 2s, scrape_timeout: 2s }
scrape_configs:
  - job_name: agent${scrape}
    static_configs: [{ targets: ['${here}'] }]
  - job_name: demand
    metrics_path: /probe
    params: { module: [business-sip] }${scrape}
    static_configs: [{ targets: [office, hq] }]
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: '${here}' }
`,
  );
  execFileSync(programOf('promtool') ?? '', ['check', 'config', config], { stdio: 'pipe' });
  const prometheus = startService(
    t,
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`, '--web.listen-address=127.0.0.1:0'],
    folder,
  );
  const port = await prometheus.port('tcp');
  interface Found {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }
  const query = async (expression: string): Promise<readonly Found[]> => {
    const { status, body } = await get(port, `/api/v1/query?query=${encodeURIComponent(expression)}`);
    // It listens before it can answer.
    if (status !== 200) return [];
    return (JSON.parse(body) as { data: { result: readonly Found[] } }).data.result;
  };
  /** Waits until so many series are there, and returns them. */
  const found = async (expression: string, count: number): Promise<readonly Found[]> =>
    until(`${expression} has ${count} series`, async () => {
      if (prometheus.child.exitCode !== null) throw new Error(prometheus.said());
      const result = await query(expression);
      return result.length === count ? result : null;
    });

  await found('up == 1', 3);
  const targets = await found('callpath_probe_success{job="agent"}', 3);
  t.same(
    targets.map(({ metric, value }) => [metric.target?.slice(0, 6), value[1]]).sort(),
    [
      ['a\\r\\nb', '0'],
      ['hq', '0'],
      ['office', '1'],
    ],
    'each target, and what a hostile name would have been a line of its own stays a name',
  );
  t.same(
    (await found('callpath_service_verdict{job="agent",target="hq",agent="branch-17",site="Berlin"}', 1)).map(
      ({ value }) => value[1],
    ),
    ['2'],
    'one series says by its number that the service is impaired',
  );
  const demanded = await found('probe_success{job="demand"}', 2);
  t.same(demanded.map(({ metric, value }) => [metric.instance, value[1]]).sort(), [
    ['hq', '0'],
    ['office', '1'],
  ]);
  t.ok(
    asked.every((one) => /^(office|hq) business-sip /.test(one)),
    'the module that was asked for',
  );
  const limit = Number(asked[0]?.split(' ')[2]);
  t.ok(limit > 0 && limit <= 1500, `${limit} ms: within the scrape's own timeout`);
  await exporter.close();
  await found('up == 0', 3);
});

t.test('promtool finds no fault with any report', { skip }, async (t) => {
  const exporter = await open(t, 'prometheus', { listen: '127.0.0.1:0' }, { probe: fakeRunner() });
  await exporter.deliver(
    GOLDEN.map((golden, index) => reportRecord(index, golden, `${golden}${golden === 'hostile' ? HOSTILE : ''}`)),
    NEVER,
  );
  const metrics = await get(portOf(exporter), '/metrics');
  t.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.equal(lint(metrics.body), '');
  const probe = await get(portOf(exporter), '/probe?target=hq');
  t.equal(lint(probe.body), '');
  t.match(probe.body, /^probe_success 0$/m);
  t.match(probe.body, /^probe_duration_seconds \d/m);
});

t.test('what can be asked is what the configuration names, and only so much at once', async (t) => {
  let release: () => void = () => undefined;
  let started = 0;
  const slow: ProbeRunner = {
    ...fakeRunner(),
    run: async (target) => {
      started += 1;
      if (target === 'hq') throw new Error('no token');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return reportOf('loopback');
    },
  };
  const logged: string[] = [];
  const say = (details: unknown, message: string): void => void logged.push(`${JSON.stringify(details)} ${message}`);
  const log = { info: say, warn: say, error: say };
  const exporter = await open(t, 'prometheus', { listen: '127.0.0.1:0' }, { probe: slow, log });
  const port = portOf(exporter);
  t.equal((await get(port, '/probe')).status, 400);
  t.equal((await get(port, '/probe?target=victim.example')).status, 404);
  t.equal((await get(port, '/probe?target=office&module=../../etc/passwd')).status, 404);
  t.equal((await get(port, '/')).status, 404);
  t.equal((await get(port, '/metrics', {}, 'POST')).status, 405);
  t.equal((await get(port, `/metrics?${'x'.repeat(5000)}`)).status, 400);
  t.equal((await get(port, '/metrics', { host: 'rebound.example' })).status, 421, 'a page that rebound its name');
  t.equal((await get(port, '/metrics', { host: `localhost:${port}` })).status, 200);
  t.equal((await get(port, '/probe?target=office', { 'sec-fetch-site': 'cross-site' })).status, 403);
  t.equal((await get(port, '/probe?target=office', { 'sec-fetch-site': 'same-site' })).status, 403);
  t.equal((await get(port, '/probe?target=office', { origin: 'https://elsewhere.example' })).status, 403);
  t.equal(started, 0, 'a page of another site sends no packet from here');
  const failed = await get(port, '/probe?target=hq');
  t.same([failed.status, started], [500, 1]);
  t.notMatch(failed.body, 'token', 'strangers learn nothing from an error');
  t.match(logged.join('\n'), /hq.*no token/, 'the log does');
  const wait = { 'x-prometheus-scrape-timeout-seconds': '200' };
  const statuses: number[] = [];
  const running = Array.from({ length: 40 }, async () => {
    // Who still waits at the end loses its connection.
    const answer = await get(port, '/probe?target=office', wait).catch(() => null);
    if (answer !== null) statuses.push(answer.status);
  });
  await until('one runs, 32 wait, and seven are turned away', () => (statuses.length === 7 ? true : null));
  t.same([...new Set(statuses)], [503]);
  t.equal(started, 2, 'one at a time');
  release();
  await exporter.close();
  await Promise.all(running);
  t.equal(started <= 3, true, 'who has gone is not probed for');
});

t.test('a run on demand spends from the budget of all', async (t) => {
  const config = configOf({ budget: { packetsPerSecond: 100, packetsPerDay: 1000 } });
  const budget = createBudget({ packetsPerSecond: 100, packetsPerDay: 1000, spent: { day: '', packets: 0 } });
  const rates: number[] = [];
  let remembered = 0;
  const runner = createRunNow(config, {
    budget,
    clock: { wall: () => Date.UTC(2026, 2, 1), monotonic: () => 0 },
    onSpent: () => {
      remembered += 1;
    },
    run: async ({ packetsPerSecond, schedule }) => {
      rates.push(packetsPerSecond, schedule.timeout ?? 0);
      return { ...reportOf('loopback'), totals: { ...reportOf('loopback').totals, packetsSent: 1000 } };
    },
  });
  t.same([runner.targets, runner.modules], [['hq'], ['business-sip']]);
  await runner.run('hq', null, 9500.25, NEVER);
  t.same([rates, remembered], [[50, 9500], 1], 'what is left of a timeout is a fraction');
  t.equal(runner.whyNot(), 'the daily packet budget is used up');
});

t.test('elsewhere than on loopback it wants a secret', async (t) => {
  await t.rejects(open(t, 'prometheus', { listen: '0.0.0.0:0' }), UserError);
  await t.rejects(open(t, 'prometheus', { listen: '[::]:0' }), /set secretFile/);
  const folder = folderFor(t);
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'a-secret-that-is-long-enough\n');
  const exporter = await open(t, 'prometheus', { listen: '0.0.0.0:0', secretFile });
  const port = portOf(exporter);
  const basic = (password: string) => ({
    authorization: `Basic ${Buffer.from(`prometheus:${password}`).toString('base64')}`,
  });
  t.equal((await get(port, '/metrics')).status, 401);
  t.equal((await get(port, '/metrics', { authorization: 'Bearer wrong' })).status, 401);
  t.equal((await get(port, '/metrics', basic('wrong'))).status, 401);
  t.equal((await get(port, '/metrics', basic('a-secret-that-is-long-enough'))).status, 200);
  writeFileSync(secretFile, 'words that no field can hold\n');
  await t.rejects(open(t, 'prometheus', { listen: '127.0.0.1:0', secretFile }), /without spaces/);
  const config = await checkExporter('prometheus', { listen: 'nonsense', probes: 17 });
  t.match(config.ok ? [] : config.issues.map(({ message }) => message), [/host:port/, /0 to 16/]);
});

t.test('labels are few, whatever a report holds', async (t) => {
  const exporter = await open(t, 'prometheus', { listen: '127.0.0.1:0' });
  const report = reportOf('loopback');
  const [check] = report.checks;
  const many = Array.from({ length: 30_000 }, (_, index) => ({ ...check, id: `udp-echo/udp/${index}` }));
  const body = { ...reportRecord(1).body, checks: many };
  await exporter.deliver([{ ...reportRecord(1), body }], NEVER);
  const crowd = Array.from({ length: 600 }, (_, index) => reportRecord(index, 'unreachable', `target-${index}`));
  for (let from = 0; from < crowd.length; from += 100) await exporter.deliver(crowd.slice(from, from + 100), NEVER);
  const { body: text } = await get(portOf(exporter), '/metrics');
  const counts = new Map<string, number>();
  for (const [, name = ''] of text.matchAll(/^(callpath_\w+)\{/gm)) counts.set(name, (counts.get(name) ?? 0) + 1);
  t.ok(Math.max(...counts.values()) <= 20_000);
  t.equal(counts.get('callpath_probe_success'), 500, 'targets that were renamed each day are forgotten');
});

t.test('textfile: whole at every instant, readable by node_exporter, tried again when the disk says no', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'callpath.prom');
  const exporter = await open(t, 'prometheus-textfile', { path });
  t.same(await exporter.deliver([reportRecord(1), reportRecord(2, 'hostile', HOSTILE)], NEVER), {
    outcome: 'delivered',
  });
  t.equal(statSync(path).mode & 0o777, 0o644);
  t.same(readdirSync(folder), ['callpath.prom'], 'nothing else is left');
  const text = readFileSync(path, 'utf8');
  t.match(text, /^callpath_probe_success\{agent="branch-17",site="Berlin",target="office"\} 1$/m);
  if (skip === false) t.equal(lint(text), '');
  const older: SpoolRecord = { ...reportRecord(0, 'media-blocked'), target: 'office' };
  await exporter.deliver([older], NEVER);
  t.match(
    readFileSync(path, 'utf8'),
    /^callpath_probe_success\{agent="branch-17",site="Berlin",target="office"\} 1$/m,
    'an older report changes nothing',
  );
  const gone = await open(t, 'prometheus-textfile', { path: join(folder, 'no', 'callpath.prom') });
  t.match(await gone.deliver([reportRecord(1)], NEVER), { outcome: 'retry', why: /ENOENT/ });
  t.notOk(existsSync(join(folder, 'no')));
  chmodSync(folder, 0o755);
  const checked = await checkExporter('prometheus-textfile', { path: '/tmp/callpath.txt' });
  t.match(checked.ok ? [] : checked.issues.map(({ message }) => message), [/must end with \.prom/]);
});

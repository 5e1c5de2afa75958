/**
 * packaging/monitoring against the real thing: a Prometheus with the kit's own configuration scrapes a daemon that
 * probes a reflector on loopback, and every query of the dashboard and every alert is asked of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { packageRoot } from '../../src/plan/package-root.js';
import { commandLine } from '../cli/command.js';
import { startFarEnd } from './support/far-end.js';
import { folderFor, loopbackCertificate, missing, startService, until } from './support/services.js';

t.setTimeout(290_000);
const skip =
  missing('prometheus', 'prometheus', 'promtool') || (process.platform === 'linux' ? false : 'needs 127/8 and /proc');

const KIT = join(packageRoot(), 'packaging', 'monitoring');
const kit = (file: string): string => readFileSync(join(KIT, file), 'utf8');

/** Panels whose queries find nothing here, with the reason. */
const EMPTY_PANELS: Readonly<Record<string, string>> = {
  'Call quality (MOS) A': 'these profiles ask for no media stream',
  'Jitter A': 'these profiles ask for no media stream',
  'Media loss A': 'these profiles ask for no media stream',
  'Ports that do not pass A': 'loopback blocks no port',
};
/** Alerts that are silent here, because nothing of the kind is wrong. Every other one finds something. */
const SILENT_ALERTS: Readonly<Record<string, string>> = {
  CallpathServiceBlocked: 'one target works, and the other is not known',
  CallpathServiceImpaired: 'one target works, and the other is not known',
  CallpathServiceDegraded: 'one target works, and the other is not known',
  CallpathPortsBlocked: 'loopback blocks no port',
  CallpathSipAlg: 'nothing rewrites SIP on loopback',
  CallpathLatency: 'loopback is quick',
  CallpathPacketLoss: 'loopback loses nothing; a busy host may',
  CallpathCallQuality: 'these profiles ask for no media stream',
  CallpathReflectorUnreachable: 'the reflector answers',
  CallpathCertificateExpires: 'the certificate is new',
  CallpathAgentDown: 'the agent is scraped',
  CallpathResultTooOld: 'the agent probes',
  CallpathAgentUnhealthy: 'a receiver that is down for seconds is no illness',
  CallpathRunsFail: 'every run runs',
  CallpathRunsMissed: 'there are packets enough',
  CallpathResultsRefused: 'a receiver that is down refuses nothing for good',
  CallpathSpoolFailing: 'the disk works',
  CallpathResultsDropped: 'the spool has room',
};
/** Of what alerts name, what this agent has no series of. */
const ABSENT_METRICS = new Set(['callpath_media_mos', 'callpath_agent_missed_total']);
/** A busy host may lose packets and miss runs even on loopback: these are asked, and may find something or nothing. */
const EITHER = new Set(['Runs C', 'CallpathPacketLoss', 'CallpathRunsMissed', 'CallpathServiceDegraded']);

const SOURCE = '{ title: A test, evidence: secondary, checkedOn: 2026-11-21 }';
const profile = (name: string, requirements: string): string => `profile: ${name}
title: ${name}
summary: For a test
thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }
thresholdsSources: [${SOURCE}]
symptoms: { signalling: cannot-register, media: no-audio }
requirements:
${requirements}`;
const OFFICE = profile(
  'office',
  `  - id: sip
    need: required
    role: signalling
    purpose: Registration and calls
    anyOf:
      - { probe: sip-options, transport: udp, port: 5060 }
      - { probe: sip-options, transport: tcp, port: 5060 }
    source: ${SOURCE}
  - id: media
    need: required
    role: media
    purpose: Audio
    range: { probes: [rtp-echo], transport: udp, from: 16384, to: 16403 }
    source: ${SOURCE}
`,
);
const row = (id: string, probe: string, transport: string, port: number): string => `  - id: ${id}
    need: required
    role: signalling
    purpose: Calls
    check: { probe: ${probe}, transport: ${transport}, port: ${port} }
    source: ${SOURCE}
`;

/** Far more than an agent and a Prometheus take for their first results on a busy machine. */
const ALL_WITHIN_MS = 150_000;
const LOOK_EVERY_MS = 250;

/** A port of loopback that is free now, and that nobody listens on. */
const freePort = async (): Promise<number> => {
  const server = createTcp().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** A provider with a certificate, whose other port refuses. */
const startCarrier = async (t: Test, folder: string): Promise<string> => {
  const { certFile, keyFile } = await loopbackCertificate(folder);
  const tls = createTls({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  tls.on('tlsClientError', () => undefined);
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
  t.teardown(() => tls.close());
  return profile(
    'carrier',
    row('tls', 'tls-handshake', 'tls', (tls.address() as AddressInfo).port) +
      row('tcp', 'tcp-connect', 'tcp', await freePort()),
  );
};

/** A daemon with two targets, and an exporter whose receiver is down. @returns where it is scraped */
const startAgent = async (t: Test, folder: string, farEnd: { address: string; tokenFile: string }) => {
  const [listen, nobody] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'office.yaml'), OFFICE);
  writeFileSync(join(folder, 'carrier.yaml'), await startCarrier(t, folder));
  const config = join(folder, 'agent.yaml');
  // A list of its own for each: YAML would make an alias of one.
  const schedules = () => [{ kind: 'light', every: '10s' }];
  writeFileSync(
    config,
    stringify({
      agent: { name: 'branch-17', site: 'Berlin', stateDirectory: join(folder, 'state') },
      budget: { packetsPerSecond: 2000 },
      targets: [
        {
          name: 'hq',
          host: farEnd.address,
          tokenFile: farEnd.tokenFile,
          profiles: ['./office.yaml'],
          schedules: schedules(),
        },
        { name: 'carrier', host: '127.0.0.1', profiles: ['./carrier.yaml'], schedules: schedules() },
      ],
      exporters: [
        { type: 'prometheus', listen: `127.0.0.1:${listen}` },
        { type: 'file', path: join(folder, 'results.ndjson') },
        { type: 'webhook', name: 'noc', url: `http://127.0.0.1:${nobody}/` },
      ],
    }),
  );
  const [command = '', ...args] = commandLine('probe', ['daemon', '--config', config]);
  const env = { PATH: process.env.PATH, HOME: folder };
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk).slice(-20_000);
  });
  const closed = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  await until('the agent is ready', () => {
    if (child.exitCode !== null) throw new Error(log);
    return log.includes('agent ready') || null;
  });
  return { at: `127.0.0.1:${listen}`, module: join(folder, 'office.yaml') };
};

interface ScrapeJob {
  job_name: string;
  scrape_interval?: string;
  scrape_timeout?: string;
  params?: { module: string[] };
  static_configs: { targets: string[] }[];
  relabel_configs?: { replacement?: string }[];
}

/** The kit's configuration with this test's addresses and a quicker pace. */
const configured = (agent: { at: string; module: string }, reflector: string): string => {
  const config = parse(kit('prometheus/prometheus.yaml')) as { rule_files: string[]; scrape_configs: ScrapeJob[] };
  const text = stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: config.rule_files.map((file) => join(KIT, 'prometheus', file)),
    scrape_configs: config.scrape_configs.map((job) => ({
      ...job,
      scrape_interval: job.params ? '20s' : '1s',
      scrape_timeout: job.params ? '20s' : '1s',
      ...(job.params ? { params: { module: [agent.module] } } : {}),
    })),
  });
  return text.replaceAll('127.0.0.1:9892', agent.at).replaceAll('127.0.0.1:9464', reflector);
};

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** As Grafana asks where "All" is chosen. */
const filledIn = (expression: string): string =>
  expression.replaceAll(/\$(?:site|agent|target)\b/g, '.*').replaceAll('$__rate_interval', '30s');

t.test('every query of the dashboard and every alert is answered', { skip }, async (t) => {
  const folder = folderFor(t);
  const reflector = `127.0.0.1:${await freePort()}`;
  const ports = ['--udp', '5060,16384-16403', '--tcp', '5060', '--control-port', '8443', '--metrics', reflector];
  const farEnd = await startFarEnd(folder, ports);
  t.teardown(() => farEnd.stop());
  const agent = await startAgent(t, folder, farEnd);
  writeFileSync(join(folder, 'prometheus.yml'), configured(agent, reflector));
  const prometheus = startService(
    t,
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      ...[`--storage.tsdb.path=${join(folder, 'tsdb')}`, '--web.listen-address=127.0.0.1:0'],
    ],
    folder,
  );
  const api = `http://127.0.0.1:${await prometheus.port('tcp')}/api/v1`;
  interface Series {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }
  const query = async (expression: string): Promise<readonly Series[]> => {
    const answer = await fetch(`${api}/query?query=${encodeURIComponent(expression)}`);
    // It listens before it can answer.
    if (answer.status === 503) return [];
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data: { result: readonly Series[] };
    };
    if (status !== 'success') throw new Error(`${expression}: ${error}`);
    return data.result;
  };
  /** What still finds nothing is asked together until a common end, so that all that fails is told at once. */
  const end = performance.now() + ALL_WITHIN_MS;
  const found = async (expression: string): Promise<readonly Series[]> => {
    for (;;) {
      if (prometheus.child.exitCode !== null) throw new Error(prometheus.said());
      const result = await query(expression);
      if (result.length > 0 || performance.now() > end) return result;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };

  // From here on what is there is there: both targets, a run on demand, and a delivery that failed.
  for (const expression of [
    'callpath_probe_success{target="hq"} == 1',
    'callpath_probe_success{target="carrier"} == 0',
    'probe_success{job="callpath-probe"} == 1',
    'callpath_agent_exporter_failing{exporter="noc"} == 1',
    'rate(callpath_agent_delivered_total[30s]) > 0',
  ])
    t.ok((await found(expression)).length > 0, expression);

  const dashboard = JSON.parse(kit('grafana/callpath.json')) as Dashboard;
  for (const { title, targets = [] } of dashboard.panels)
    for (const { refId, expr } of targets) {
      const name = `${title} ${refId}`;
      const expression = filledIn(expr);
      if (EITHER.has(name)) await query(expression);
      else if (name in EMPTY_PANELS) t.same(await query(expression), [], `${name}: ${EMPTY_PANELS[name]}`);
      else t.ok((await found(expression)).length > 0, `${name} finds something`);
    }
  for (const name of Object.keys(EMPTY_PANELS))
    t.ok(
      dashboard.panels.some(({ title, targets = [] }) => targets.some(({ refId }) => `${title} ${refId}` === name)),
      `${name} is a panel`,
    );
  for (const { name, definition } of dashboard.templating.list) {
    const [, series = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? [];
    if (name === 'datasource') continue;
    const values = new Set((await found(filledIn(series))).map(({ metric }) => metric[label]));
    t.ok(!values.has(undefined) && values.size > 0, `$${name} has values: ${[...values]}`);
  }
  const both = await query('count by (site, agent) ({__name__=~"callpath_.*",job="callpath"})');
  t.same(
    both.map(({ metric }) => metric),
    [{ agent: 'branch-17', site: 'Berlin' }],
    'every series has its agent and site',
  );

  interface Rule {
    readonly name: string;
    readonly query: string;
    readonly health: string;
    readonly lastError?: string;
  }
  const rules = await until('every rule was evaluated', async () => {
    const { data } = (await (await fetch(`${api}/rules`)).json()) as { data: { groups: { rules: Rule[] }[] } };
    const all = data.groups.flatMap((group) => group.rules);
    return all.length > 0 && all.every(({ health }) => health !== 'unknown') ? all : null;
  });
  t.same(
    rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`),
    [],
  );
  for (const { name, query: expression } of rules) {
    if (EITHER.has(name)) await query(expression);
    else if (name in SILENT_ALERTS) t.same(await query(expression), [], `${name}: ${SILENT_ALERTS[name]}`);
    else t.ok((await found(expression)).length > 0, `${name} finds something`);
    for (const metric of new Set(expression.match(/\bcallpath_\w+/g)))
      if (!ABSENT_METRICS.has(metric)) t.ok((await found(metric)).length > 0, `${name}: there is ${metric}`);
  }
  const names = new Set(rules.map(({ name }) => name));
  t.same(
    Object.keys(SILENT_ALERTS).filter((name) => !names.has(name)),
    [],
  );
  const marks = dashboard.annotations.list[0]?.expr.replace('firing', 'pending') ?? '';
  t.ok((await found(marks)).length > 0, 'an alert is shown on the graphs once it fires');
});

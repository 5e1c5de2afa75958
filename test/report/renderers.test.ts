/** The published schema, exit codes, and every machine format: what a parser of each would accept. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../src/model/report.js';
import type { ServiceVerdict } from '../../src/model/verdict.js';
import { exitCode } from '../../src/report/exit-code.js';
import { renderHtml } from '../../src/report/html.js';
import { renderJson, renderNdjson } from '../../src/report/json.js';
import { renderNagios } from '../../src/report/nagios.js';
import { renderPrometheus } from '../../src/report/prometheus.js';
import { OUTPUTS, render } from '../../src/report/render.js';
import { reportJsonSchema } from '../../src/report/schema.js';
import { renderTable } from '../../src/report/table.js';
import { lossInWords, sipAlgInWords } from '../../src/words/report.js';
import { fixtureText, GOLDEN, type Golden, reportOf } from './fixtures.js';
import { ACTIVE, pageFault } from './inert.js';

const withServices = (...verdicts: readonly ServiceVerdict[]): Report => ({
  ...reportOf('loopback'),
  services: verdicts.map((verdict, index) => ({
    profile: `p${index}`,
    title: `P${index}`,
    verdict,
    untested: [],
    symptoms: [],
    fixes: [],
  })),
});

t.test('the golden reports validate against the published schema', async (t) => {
  const schema = await reportJsonSchema();
  t.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(schema);
  for (const name of GOLDEN) {
    t.ok(validate(JSON.parse(fixtureText(`${name}.json`))), name, { errors: validate.errors });
  }
  const good = reportOf('loopback');
  t.ok(validate({ ...good, later: 'field' }), 'a report may gain fields');
  t.notOk(validate({ ...good, durationMs: -1 }), 'a negative duration is refused');
  t.notOk(validate({ ...good, schema: 'callpath.report/2' }), 'another major version is refused');
  const { totals: _, ...incomplete } = good;
  t.notOk(validate(incomplete), 'a lost field is noticed');
});

t.test('exit codes', async (t) => {
  const cases: readonly (readonly [readonly ServiceVerdict[], 0 | 1 | 3, 0 | 1 | 2 | 3])[] = [
    [[], 3, 3],
    [['works'], 0, 0],
    [['degraded'], 1, 1],
    [['impaired'], 1, 2],
    [['blocked'], 1, 2],
    [['unknown'], 3, 3],
    [['works', 'works'], 0, 0],
    [['works', 'unknown'], 3, 3],
    [['unknown', 'degraded'], 1, 1],
    [['degraded', 'blocked'], 1, 2],
    [['unknown', 'impaired', 'works'], 1, 2],
  ];
  for (const [verdicts, run, nagios] of cases) {
    const report = withServices(...verdicts);
    t.equal(exitCode(report), run, `${verdicts.join(' + ') || 'no service'}: exits ${run}`);
    t.equal(renderNagios(report).exitCode, nagios, `${verdicts.join(' + ') || 'no service'}: Nagios ${nagios}`);
  }
  const golden: Readonly<Record<Golden, 0 | 1 | 3>> = {
    loopback: 0,
    'media-blocked': 1,
    'carrier-untested': 0,
    unreachable: 3,
    'range-holes': 1,
    hostile: 1,
    'open-network': 0,
    'rtp-blocked-outbound': 1,
    'sip-udp-dropped': 1,
    'sip-alg': 1,
    'wifi-calling-blocked': 1,
    'everything-dead': 3,
    'carrier-without-token': 0,
  };
  for (const name of GOLDEN) t.equal(exitCode(reportOf(name)), golden[name], name);
});

t.test('a hostile report is inert in every format', async (t) => {
  const hostile = reportOf('hostile');
  for (const output of OUTPUTS) {
    for (const verbose of [false, true]) {
      const text = await render(output, hostile, { color: false, verbose });
      t.notMatch(text.replaceAll('\n', ''), ACTIVE, `${output}: nothing that acts`);
      // In HTML a line means nothing, and the tags have a test of their own.
      if (output === 'html') continue;
      t.notMatch(text, /^CALLPATH OK|^# TYPE callpath_probe_success gauge"/m, `${output}: no line is forged`);
    }
  }
});

t.test('every format ends with a newline', async (t) => {
  for (const output of OUTPUTS) {
    t.match(await render(output, reportOf('range-holes'), { color: false }), /\n$/, output);
  }
});

t.test('JSON says what the report says', async (t) => {
  for (const name of GOLDEN) {
    const report = reportOf(name);
    t.same(JSON.parse(renderJson(report)), report, name);
    const line = renderNdjson(report);
    t.equal(line.indexOf('\n'), line.length - 1, 'one line');
    t.same(JSON.parse(line), report, `${name} on a line`);
  }
});

t.test('Nagios output follows the plugin guidelines', async (t) => {
  const item = /^'[^'=|]+'=-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?(s|ms)?;0?;0?;0(;[0-9.]+)?$/;
  for (const name of GOLDEN) {
    const { text, exitCode: code } = renderNagios(reportOf(name));
    const [first = '', ...rest] = text.trimEnd().split('\n');
    const [summary = '', perfdata = '', ...more] = first.split('|');
    t.equal(more.length, 0, `${name}: one separator in the first line`);
    t.match(summary, new RegExp(`^CALLPATH ${['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'][code]} - `), `${name}: summary`);
    const items = perfdata.trim().split(/ (?=')/);
    for (const each of items) t.match(each, item, `${name}: performance data`);
    const labels = items.map((each) => each.split('=')[0]);
    t.equal(new Set(labels).size, labels.length, `${name}: labels are unique`);
    t.notOk(
      rest.some((line) => /[|<>&$`]/.test(line)),
      `${name}: nothing in the details starts performance data, markup or a command`,
    );
  }
  t.match(
    renderNagios(reportOf('media-blocked')).text,
    /^CALLPATH CRITICAL - reflector\.example\.net: .*cannot hear us/,
  );
  t.match(renderNagios(reportOf('media-blocked')).text, "'sip-options/udp/5060 rtt'=15.3ms;;;0");
});

interface Metric {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** A strict reader of the text format 0.0.4: HELP, TYPE, then the samples of that metric, each series once. */
const readMetrics = (text: string): readonly Metric[] => {
  const metrics: Metric[] = [];
  const seen = new Set<string>();
  const families = new Set<string>();
  let helped = '';
  let typed = '';
  for (const line of text.trimEnd().split('\n')) {
    const help = /^# HELP ([a-z_]+) \S.*$/.exec(line);
    if (help?.[1] !== undefined) {
      if (families.has(help[1])) throw new Error(`split family: ${help[1]}`);
      families.add(help[1]);
      helped = help[1];
      continue;
    }
    const type = /^# TYPE ([a-z_]+) gauge$/.exec(line);
    if (type?.[1] !== undefined) {
      if (type[1] !== helped) throw new Error(`TYPE without HELP: ${line}`);
      typed = type[1];
      continue;
    }
    const sample = /^([a-z_]+)\{((?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)*)\} (\S+)$/.exec(line);
    const [, name, labels, value] = sample ?? [];
    if (name === undefined || labels === undefined || name !== typed) throw new Error(`not a sample: ${line}`);
    if (labels.endsWith(',')) throw new Error(`trailing comma: ${line}`);
    if (seen.has(`${name}{${labels}`)) throw new Error(`series twice: ${line}`);
    seen.add(`${name}{${labels}`);
    if (!Number.isFinite(Number(value))) throw new Error(`not a number: ${line}`);
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
    metrics.push({
      name,
      labels: new Map(pairs.map(([, label, content]) => [label ?? '', content ?? ''])),
      value: Number(value),
    });
  }
  return metrics;
};

t.test('Prometheus metrics parse, and say what the report says', async (t) => {
  for (const name of GOLDEN) t.doesNotThrow(() => readMetrics(renderPrometheus(reportOf(name))), name);
  const metrics = readMetrics(renderPrometheus(reportOf('range-holes')));
  const sampleOf = (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
    metrics.find(
      (metric) =>
        metric.name === name && Object.entries(labels).every(([label, value]) => metric.labels.get(label) === value),
    )?.value;
  t.ok(
    metrics.every(
      ({ name, labels }) => name.startsWith('callpath_') && labels.get('target') === 'reflector.example.net',
    ),
    'every series is named and carries the target',
  );
  t.equal(sampleOf('callpath_probe_success'), 0);
  t.equal(sampleOf('callpath_service_verdict', { profile: 'wifi-calling-t-mobile' }), 3);
  t.equal(sampleOf('callpath_check_rtt_seconds', { check: 'sip-options/tcp/5060', stat: 'median' }), 0.342);
  t.equal(sampleOf('callpath_range_ports', { range: 'rtp-echo/udp/16384-16582', verdict: 'blocked' }), 17);
  t.equal(sampleOf('callpath_range_tested_ports', { range: 'rtp-echo/udp/16384-16582', verdict: 'blocked' }), 10);
  t.equal(sampleOf('callpath_run_duration_seconds'), 95.21);
  t.equal(sampleOf('callpath_report_timestamp_seconds'), Date.UTC(2026, 0, 13, 10, 30, 19, 500) / 1000);
  t.equal(
    metrics.filter(({ name }) => name === 'callpath_service_verdict').length,
    2,
    'each service has one series, whatever its verdict is',
  );
  const unmeasured = readMetrics(renderPrometheus(reportOf('unreachable')));
  t.notOk(
    unmeasured.some(({ name }) => name === 'callpath_nat_detected' || name === 'callpath_path_loss_upper_bound_ratio'),
    'what was not measured has no sample: null is not 0',
  );
  const success = renderPrometheus(reportOf('loopback')).match(/^callpath_probe_success\{.*\} (\d)$/m);
  t.equal(success?.[1], '1');
});

t.test('HTML is one page that runs and fetches nothing', async (t) => {
  for (const name of GOLDEN) {
    const page = renderHtml(reportOf(name));
    const body = page.replace(/<style>[\s\S]*?<\/style>/, '<style></style>');
    t.equal(pageFault(page), null, `${name}: nothing but the renderer's own markup`);
    t.match(page, '<html lang="en">');
    t.match(page, /<title>callpath: .+<\/title>/);
    t.match(page, "default-src 'none'");
    t.match(page, 'prefers-color-scheme: dark');
    t.notMatch(page, /url\(|@import/, 'the style fetches nothing');
    t.notOk(/<th(?! scope=)[ >]/.test(body), `${name}: every table header has its scope`);
    t.ok(page.indexOf('<article') < page.indexOf('<table'), `${name}: services come first`);
  }
});

t.test('whether a SIP ALG was found says where nothing could be compared', async (t) => {
  const base = reportOf('loopback');
  const check = (id: string, verdict: 'pass' | 'blocked' | 'unknown'): Report['checks'][number] => {
    const [probe, transport, port] = id.split('/');
    const [first] = base.checks;
    if (first === undefined) throw new Error('the fixture lost its checks');
    return { ...first, id, probe, transport, port: Number(port), verdict } as Report['checks'][number];
  };
  const said = (detected: boolean | null, ...checks: readonly Report['checks'][number][]): string =>
    sipAlgInWords({ ...base, checks: [...checks], sipAlg: { detected, findings: [] } });
  const udp = check('sip-options/udp/5060', 'blocked');
  const tcp = [check('sip-options/tcp/5060', 'pass'), check('sip-alg/tcp/5060', 'pass')];
  t.equal(said(false, check('sip-options/udp/5060', 'pass'), ...tcp), 'none found');
  t.equal(said(false, udp, ...tcp), 'none found elsewhere; UDP 5060 could not be compared, as SIP does not pass there');
  t.equal(said(null, udp), 'unknown: UDP 5060 could not be compared, as SIP does not pass there');
  t.equal(said(null, check('sip-options/tls/5061', 'blocked')), 'unknown', 'of TLS nobody expects it');
});

t.test('what a SIP ALG does is told by what was found', async (t) => {
  const base = reportOf('loopback');
  type Found = Report['sipAlg']['findings'][number];
  const dropped: Found = {
    ...{ transport: 'udp', port: 5060, method: 'INVITE', direction: 'outbound', kind: 'dropped', class: 'semantic' },
    ...{ field: 'message', sent: 'INVITE', received: '' },
  };
  const pinhole: Found = { ...dropped, direction: 'inbound', kind: 'pinhole', class: 'proxy' };
  const rewritten: Found = { ...dropped, direction: 'outbound', kind: 'rewritten' };
  const report = (...findings: readonly Found[]): Report => ({
    ...base,
    sipAlg: { detected: true, findings: [...findings] },
  });
  t.match(sipAlgInWords(report(dropped)), /drops SIP messages$/);
  t.match(sipAlgInWords(report(dropped, { ...rewritten, class: 'cosmetic' })), /drops SIP messages$/);
  t.match(sipAlgInWords(report(dropped, pinhole)), /drops SIP messages$/);
  t.match(sipAlgInWords(report(pinhole)), /opens ports$/);
  t.match(sipAlgInWords(report(dropped, rewritten)), /rewrites SIP$/);
  t.match(renderTable(report(pinhole), { color: false }), /udp 5060, inbound/);
});

t.test('loss is said in numbers beside its bound', async (t) => {
  const base = reportOf('open-network');
  const said = (roundTrips?: { sent: number; lost: number }): string =>
    lossInWords({ ...base, network: { ...base.network, lossUpperBound: 0.041, ...(roundTrips && { roundTrips }) } });
  t.equal(said({ sent: 784, lost: 21 }), 'lost 21 of 784 round trips (2.7 %), at most 4.1 %');
  t.equal(said({ sent: 784, lost: 0 }), 'lost 0 of 784 round trips, at most 4.1 %');
  const way = (sent: number, lost: number) => ({ sent, lost, lower: 0, upper: 0.041 });
  const network = { ...base.network, lossUpperBound: 0.041, roundTrips: { sent: 784, lost: 21 } };
  const eachWay = { ...base, network: { ...network, loss: { outbound: way(784, 20), inbound: way(764, 1) } } };
  t.match(lossInWords(eachWay), /at most 4\.1 % \(20 of 784 packets outbound, 1 of 764 inbound\)$/);
  t.equal(said(), 'at most 4.1 % (an upper bound, not an estimate)', 'of reports that do not count');
});

/** A stream that was cut after 60 packets on its way out, and what came back of it. */
const cutStream = (): Report => {
  const point = (fromMs: number, lost: number, delayMs: number | null) => ({ fromMs, sent: 50, lost, delayMs });
  const stream = {
    ...{ port: 16_384, packets: 300, jitterMs: 1.2, reordered: 0, rFactor: 3, mos: 1, model: 'ITU-T G.107' },
    ...{ codec: 'g711', kind: 'conversational' as const, playoutMs: 60, burstRatio: 48, longestGap: 240, discarded: 2 },
    ...{
      duplicates: 1,
      delayVariationMs: { p50: 0.5, p95: 3, p99: 8 },
      points: [point(0, 0, 0.4), point(1000, 40, null)],
    },
  };
  return v.parse(ReportSchema, {
    ...reportOf('open-network'),
    quality: [
      {
        ...{ ...stream, direction: 'outbound', lossRatio: 0.8, lossLower: 0.1, lossUpper: 1 },
        throttledAfter: { seconds: 1.2, packets: 60, bytes: 12_000, kind: 'quota' },
      },
      {
        ...stream,
        direction: 'inbound',
        packets: 60,
        lossRatio: 0,
        lossLower: 0,
        lossUpper: 0.06,
        mos: 4.41,
        rFactor: 93,
      },
    ],
    capacity: { calls: 2, limitedBy: 'outbound', asked: 8 },
  });
};

t.test('how calls sound, in every format', async (t) => {
  const report = cutStream();
  const table = renderTable(report, { color: false }).replace(/\s+/g, ' ');
  t.match(table, '16384 outbound MOS 1.00, loss 80.0 % (10.0 % to 100 %), jitter 1.2 ms');
  t.match(table, 'loses more after 60 packets (1.2 s, 12.0 kB), and a second stream, twice as fast, after as many');
  t.match(table, '2 calls at once pass; the next ones lost packets on the way out.');
  t.match(
    table,
    'MOS is an estimate by ITU-T G.107, G.711 with concealment, a playout buffer of 60 ms, conversational.',
  );
  const page = renderHtml(report);
  t.equal(page.match(/<svg class="over-time"/g)?.length, 4, 'loss and delay of each direction');
  t.match(page, 'Loss over time, UDP 16384, what they hear (outbound): at most 80.0 %');
  t.notMatch(page, /<script/);
  const [line = ''] = renderNagios(report).text.split('\n');
  for (const perf of ["'mos'=1;", "'jitter'=1.2ms;", "'loss_out'=0.8;", "'loss_in'=0;"])
    t.ok(line.includes(perf), perf);
  const metrics = renderPrometheus(report);
  t.match(metrics, /callpath_media_mos\{[^}]*direction="outbound"[^}]*\} 1$/m);
  t.match(metrics, /callpath_media_loss_upper_bound_ratio\{[^}]*direction="inbound"[^}]*\} 0.06$/m);
  t.match(metrics, /callpath_media_throttled_after_seconds\{[^}]*\} 1.2$/m);
  t.match(metrics, /callpath_media_capacity_calls\{[^}]*\} 2$/m);
  t.match(JSON.parse(renderNdjson(report)), {
    capacity: { calls: 2 },
    quality: [{ throttledAfter: { kind: 'quota' } }, {}],
  });
});

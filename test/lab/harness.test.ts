/** The lab's own parts: keys, expectations, comparison, the relay, and that nothing of a network is left behind. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { seededRandom } from '../../src/model/random.js';
import type { Report, ReportCheck, ReportRange } from '../../src/model/report.js';
import { compare, isUndecided, mergeComparisons, withMistakes } from './compare.js';
import { confusionTable, falseBlocks, falsePasses } from './confusion.js';
import { createFate, HELD_BACK_MS, type Impairment } from './impairment.js';
import { loadScenarios } from './load.js';
import { cannotRun, missingPackages } from './needs.js';
import { createNetwork, sweep } from './network.js';
import { ours } from './processes.js';
import { expectedOf, REALITIES, truthOf } from './reality.js';
import { startRelay } from './relay.js';
import type { NamedScenario } from './scenario.js';
import { lookUp, matches, parseWhere } from './where.js';

const at = (probe: string, transport: string, port: number, address: string | null = '198.51.100.10') => ({
  probe,
  transport,
  port,
  address,
});

t.test('keys say which checks a line is about', async (t) => {
  const sip = at('sip-options', 'udp', 5060);
  for (const where of [
    '*',
    'udp/5060',
    'udp/*',
    '*/5060',
    'udp/5000-5100',
    'sip-options/udp/5060',
    '*#198.51.100.10',
  ]) {
    t.ok(matches(where, sip), where);
  }
  for (const where of ['tcp/5060', 'udp/5061', 'udp/5060:odd', 'rtp-echo/udp/*', '*#198.51.100.11']) {
    t.notOk(matches(where, sip), where);
  }
  t.ok(matches('udp/16384-32767:odd', at('rtcp-echo', 'udp', 16_385)));
  t.ok(matches('*#2001:db8:100::10', at('dns', 'udp', 53, '2001:db8:100::10')));
  t.equal(lookUp({ '*': 'first', 'udp/*': 'last' }, sip), 'last', 'the last key that matches wins');
  for (const where of ['', 'udp', 'sctp/5060', 'udp/x', 'udp/5060:prime']) t.throws(() => parseWhere(where), where);
});

const scenario = (fields: Partial<NamedScenario>): NamedScenario => ({ name: 'test', about: 'A test.', ...fields });

t.test('expectations follow from what the network does', async (t) => {
  const place = at('sip-options', 'udp', 5060);
  const says = (fields: Partial<NamedScenario>) => expectedOf(scenario(fields), place).join(' or ');
  t.equal(says({}), 'pass/answered');
  t.equal(says({ really: { 'udp/5060': 'dropped-inbound' } }), 'blocked/dropped-inbound');
  t.equal(says({ really: { 'udp/5060': 'dropped-inbound' }, token: false }), 'unknown/no-answer');
  t.equal(says({ really: { '*': 'rejected' }, expect: { 'udp/*': 'unknown/closed' } }), 'unknown/closed');
  t.same(
    ['tls-handshake/tls', 'http/tcp', 'dns/udp', 'sip-options/tcp', 'sip-options/tls'].map((kind) => {
      const [probe = '', transport = ''] = kind.split('/');
      return expectedOf(scenario({ really: { '*': 'intercepted' } }), at(probe, transport, 443))[0];
    }),
    [
      'altered/tls-intercepted',
      'altered/http-intercepted',
      'altered/dns-intercepted',
      'altered/answered-by-other',
      'altered/tls-intercepted',
    ],
  );
  t.equal(truthOf(scenario({ really: { '*': 'filtered' } }), place), 'blocked');
  t.equal(truthOf(scenario({ token: false }), at('rtp-echo', 'udp', 16_384)), 'unknown');
  for (const reality of REALITIES) t.ok(expectedOf(scenario({ really: { '*': reality } }), place).length > 0, reality);
});

const check = (id: string, finding: string, fields: Partial<ReportCheck> = {}): ReportCheck => {
  const [probe, transport, port] = id.split('/');
  const [verdict, reason] = finding.split('/');
  return {
    id,
    probe,
    transport,
    port: Number(port),
    address: '198.51.100.10',
    family: 4,
    requiredBy: [],
    verdict,
    reason,
    confidence: 1,
    sent: 3,
    seen: null,
    received: 3,
    rttMs: null,
    evidence: {},
    ...fields,
  } as ReportCheck;
};

const run = (from: number, to: number, finding: string, tested = 2): ReportRange => {
  const [verdict, reason] = finding.split('/');
  const id = 'rtp-echo/udp/16384-16402';
  const rest = { probe: 'rtp-echo', transport: 'udp', address: '198.51.100.10', step: 2, confidence: 1 };
  return { id, from, to, verdict, reason, tested, ...rest } as ReportRange;
};

const report = (fields: Partial<Report>): Report =>
  ({
    checks: [],
    ranges: [],
    services: [],
    network: {},
    nat: {},
    sipAlg: {},
    notes: [],
    ...fields,
  }) as unknown as Report;

const SIP = 'sip-options/udp/5060';
const DROPPED = { 'udp/5060': 'dropped-outbound' } as const;

t.test('each difference between a report and a scenario is one line', async (t) => {
  const works: Report['services'] = [
    { profile: 'business-sip', title: '', verdict: 'works', untested: [], symptoms: [], fixes: [] },
  ];
  t.same(compare(scenario({}), report({ checks: [check(SIP, 'pass/answered')], services: works }), 0).mismatches, []);

  const missed = compare(
    scenario({ really: DROPPED }),
    report({ checks: [check(SIP, 'pass/answered')], services: works }),
    0,
  );
  t.match(missed.mismatches, [/^sip-options\/udp\/5060: expected blocked\/dropped-outbound, got pass\/answered/]);
  t.equal(falsePasses(missed.cells).length, 1);
  t.match(
    confusionTable(missed.cells).at(-1),
    /1 comparisons, 1 false pass: test sip-options\/udp\/5060, 0 false blocked/,
  );

  const accused = compare(scenario({}), report({ checks: [check(SIP, 'blocked/dropped')], services: works }), 1);
  t.equal(falseBlocks(accused.cells).length, 1);
  t.match(accused.mismatches, [/got blocked\/dropped/, /^exit code: expected 0 by the services, got 1$/]);

  const typo = compare(scenario({ really: { 'udp/5006': 'rejected' } }), report({ services: works }), 0);
  t.match(withMistakes(typo).mismatches, [/key "udp\/5006" is about no check of any run/]);
  t.same(typo.mismatches, [], 'one run may leave out what another asks');
  t.same(mergeComparisons([typo, { ...typo, aboutNothing: [] }]).aboutNothing, []);
  t.same(mergeComparisons([typo, typo]).aboutNothing, ['udp/5006']);

  const facts = compare(
    scenario({ topology: 'routed', report: { sipAlg: { findings: [{ method: 'INVITE' }] } } }),
    report({
      checks: [check(SIP, 'pass/answered', { evidence: { seenAddress: '198.51.100.1' } })],
      services: works,
      network: { natted: true } as unknown as Report['network'],
      sipAlg: { findings: [{ method: 'OPTIONS' }] } as unknown as Report['sipAlg'],
    }),
    0,
  );
  t.match(facts.mismatches, [/^expected sipAlg.findings/, /^expected network.natted false, got true$/]);
});

t.test('what is known of another kind than by check: sentences, outages, and findings of any reason', async (t) => {
  const mismatches = (fields: Partial<NamedScenario>, told: Record<string, unknown>) =>
    compare(scenario(fields), report(told as Partial<Report>), 3).mismatches;
  const notes = ['Nothing passed for 5 s.'];
  t.same(mismatches({ says: [/5 s/], saysNot: [/blocked/] }, { notes }), []);
  t.match(mismatches({ says: [/lost/], saysNot: [/passed/] }, { notes }), [/sentence with \/lost\//, /said "passed"/]);

  const outages = [{ fromMs: 2000, toMs: 7000, what: 'everything', direction: null }];
  t.same(mismatches({ outages: [{ what: 'everything' }] }, { outages }), []);
  t.match(mismatches({}, { outages }), [/expected no outage/]);
  t.match(mismatches({ outages: [{ toMs: null }] }, { outages }), [/expected an outage {"toMs":null}/]);
  t.match(mismatches({ outages: [{}] }, {}), [/expected an outage/]);
  t.same(mismatches({ outages: 'perhaps' }, { outages }), []);

  const away = scenario({ really: { '*': 'away' }, outages: 'perhaps' });
  const said = (finding: string) => compare(away, report({ checks: [check(SIP, finding)] }), 3);
  t.same(said('unknown/outage').mismatches, []);
  t.match(said('degraded/loss').mismatches, [/expected pass\/answered or unknown\/\*, got degraded\/loss/]);
  t.equal(falseBlocks(said('blocked/dropped').cells).length, 1, 'what was away is not blocked');
});

t.test('the runs of a range are compared port by port', async (t) => {
  const hole = scenario({ really: { 'udp/16390-16394': 'dropped-outbound' }, services: { none: 'works' } });
  const exact = [
    run(16_384, 16_388, 'pass/answered'),
    run(16_390, 16_394, 'blocked/dropped-outbound'),
    run(16_396, 16_402, 'pass/answered'),
  ];
  t.same(compare(hole, report({ ranges: exact }), 3).mismatches, []);

  const sampled = [
    run(16_384, 16_386, 'pass/answered'),
    run(16_388, 16_390, 'unknown/not-run', 0),
    run(16_392, 16_394, 'blocked/dropped-outbound'),
    run(16_396, 16_402, 'pass/answered'),
  ];
  t.same(compare(hole, report({ ranges: sampled }), 3).mismatches, [], 'a gap between two findings is honest');

  const overlooked = compare(hole, report({ ranges: [run(16_384, 16_402, 'pass/answered', 4)] }), 3);
  t.match(overlooked.mismatches, [/16384-16402: expected blocked\/dropped-outbound on 3 ports from 16390, got pass/]);
  t.equal(falsePasses(overlooked.cells).length, 1, 'an inferred mistake counts');

  const inexact = compare({ ...hole, exactRanges: true }, report({ ranges: sampled }), 3);
  t.match(inexact.mismatches, [/16388-16390: expected pass\/answered on 2 ports from 16388, got unknown\/not-run/]);

  const short = compare(scenario({}), report({ ranges: [run(16_390, 16_402, 'pass/answered')] }), 3);
  t.match(short.mismatches, [/expected runs from 16384 to 16402, got 16390 to 16402/]);

  const torn = compare(
    scenario({}),
    report({ ranges: [run(16_384, 16_388, 'pass/answered'), run(16_392, 16_402, 'pass/answered')] }),
    3,
  );
  t.match(torn.mismatches, [/expected the next run at 16390, got 16392/]);
});

t.test('every scenario is well-formed', async (t) => {
  const scenarios = await loadScenarios([]);
  t.ok(scenarios.length > 50);
  for (const { name, about, really, expect } of scenarios) {
    t.match(about, /^\S.*\.$/s, `${name} says in a sentence what its network does`);
    for (const where of [...Object.keys(really ?? {}), ...Object.keys(expect ?? {})]) parseWhere(where);
  }
  await t.rejects(loadScenarios(['open-nta']), /no scenario "open-nta"; did you mean open-nat\?/);
});

const UNHARMED: Impairment = { delay: 0, jitter: 0, loss: 0, duplicate: 0, reorder: 0 };

t.test('the same seed gives the same fate, and ratios are kept', async (t) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const bad = { delay: 5, jitter: 20, loss: 0.1, duplicate: 0.1, reorder: 0.1 };
      const [one, two] = [createFate(bad, seededRandom(seed)), createFate(bad, seededRandom(seed))];
      for (let ms = 0; ms < 50; ms += 1) t.same(one(ms), two(ms));
    }),
    { numRuns: 20 },
  );
  const lossy = createFate({ ...UNHARMED, loss: 0.2 }, seededRandom(1));
  const lost = Array.from({ length: 10_000 }, (_, ms) => lossy(ms)).filter(({ releases }) => releases.length === 0);
  t.ok(lost.length > 1900 && lost.length < 2100, `${lost.length} of 10,000`);
});

t.test('jitter keeps the order, reordering does not hold up those behind', async (t) => {
  const jittery = createFate({ ...UNHARMED, jitter: 80 }, seededRandom(7));
  const releases = Array.from({ length: 500 }, (_, index) => jittery(index * 20).releases[0] ?? 0);
  t.same(
    releases,
    [...releases].sort((a, b) => a - b),
  );
  const all = createFate({ ...UNHARMED, reorder: 1 }, seededRandom(7));
  t.same(all(100), { releases: [100 + HELD_BACK_MS], reordered: true });
  t.same(all(101), { releases: [101 + HELD_BACK_MS], reordered: true });
});

t.test('the relay passes datagrams both ways, later and twice', async (t) => {
  const server = createSocket('udp4');
  server.on('message', (message, from) => {
    server.send(message, from.port, from.address);
  });
  // The relay listens on another loopback address, at the server's own port, as it does in the firewall.
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const impairment = { ...UNHARMED, delay: 30, duplicate: 1 };
  const relay = await startRelay({ listen: '127.0.0.2', to: '127.0.0.1', ports: [port], impairment, seed: 1 });
  const client = createSocket('udp4');
  t.teardown(async () => {
    client.close();
    server.close();
    await relay.close();
  });
  const begun = performance.now();
  client.send('hello', port, '127.0.0.2');
  const answers: string[] = [];
  client.on('message', (message) => answers.push(message.toString()));
  // Twice on the way there, each of them twice on the way back.
  while (answers.length < 4) await once(client, 'message');
  t.same(answers, ['hello', 'hello', 'hello', 'hello']);
  t.ok(performance.now() - begun >= 60);
  t.match(relay.stats(), { flows: 1, up: { received: 1, duplicated: 1, sent: 2 }, down: { received: 2, sent: 4 } });
});

const skip = cannotRun() ?? (missingPackages().length > 0 ? `not installed: ${missingPackages().join(' ')}` : false);

/** Waits for something that happens outside of this process and announces itself to nobody. */
const until = async (happened: () => boolean): Promise<void> => {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const namespacesOf = (pid: number): readonly string[] =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(`cp${pid}s`)) : [];

t.test('a network is gone with its processes and files when it is closed', { skip }, async (t) => {
  const network = createNetwork({ topology: 'double-nat', rules: '', sysctl: {}, resolver: '127.0.0.1', keep: false });
  t.same(
    namespacesOf(process.pid)
      .map((name) => name.split('-')[1])
      .sort(),
    ['branch', 'cgn', 'fw', 'wan'],
  );
  const child = spawn('ip', ['netns', 'exec', network.namespace('fw'), 'sleep', '1000']);
  // `ip` enters the namespace first and becomes the command then.
  await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n');
  t.ok(existsSync(`/etc/netns/${network.namespace('branch')}/resolv.conf`));
  network.close();
  await once(child, 'exit');
  t.same(namespacesOf(process.pid), []);
  t.notOk(existsSync(`/etc/netns/${network.namespace('branch')}`));
  t.notOk(existsSync(network.directory));
  t.throws(
    () => createNetwork({ topology: 'routed', rules: 'nonsense', sysctl: {}, resolver: null, keep: false }),
    /nft.*syntax error/s,
  );
  t.same(namespacesOf(process.pid), [], 'a failed set-up leaves nothing');
});

t.test('only what says too little is asked again, never what says something false', async (t) => {
  const unknown = 'sip-alg/tcp/5060: expected pass/answered, got unknown/no-answer (sent 5, received 5)';
  const table: readonly (readonly [readonly string[], boolean])[] = [
    [[unknown], true],
    [[unknown, 'service business-sip: expected works, got unknown'], true],
    [[unknown, 'expected a sentence with /ALG/, got none'], true],
    [[], false],
    [['expected a sentence with /ALG/, got none'], false],
    [['sip-options/udp/5060: expected pass/answered, got blocked/dropped-inbound (sent 4)'], false],
    [[unknown, 'service business-sip: expected works, got impaired'], false],
    [[unknown, 'said "inspection", which is not so here'], false],
    [['the probe did not end within 300 s: '], false],
    [['the scenario\'s key "udp/1" is about no check of any run'], false],
  ];
  for (const [mismatches, expected] of table) t.equal(isUndecided(mismatches), expected, mismatches.join('; '));
});

for (const [signal, remain] of [
  ['SIGINT', false],
  ['SIGTERM', false],
  ['SIGKILL', true],
] as const) {
  const outcome = remain ? 'leaves namespaces until the next lab starts' : 'leaves nothing';
  t.test(`a lab that gets ${signal} ${outcome}`, { skip }, async (t) => {
    const [node = '', ...args] = ours('test/lab/cli.js', '--verify-rules', 'rtp-dropped-outbound');
    const lab = spawn(node, args, { stdio: 'ignore' });
    const pid = lab.pid ?? 0;
    await until(() => namespacesOf(pid).length === 3);
    lab.kill(signal);
    await once(lab, 'exit');
    t.equal(namespacesOf(pid).length, remain ? 3 : 0);
    sweep({ kept: false });
    t.same(namespacesOf(pid), []);
  });
}

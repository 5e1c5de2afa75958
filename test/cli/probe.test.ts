/** The agent's command line against CONTRACT: options, exit codes, one-line errors, outputs, signals. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { COMMAND_HELP } from '../../src/cli/help.js';
import { PROBE_COMMANDS } from '../../src/cli/options.js';
import type { Report } from '../../src/model/report.js';
import { SERVICE_DIALECT_NAMES } from '../../src/verdict/fixes/service/dialects.js';
import { startFarEnd } from '../agent/support/far-end.js';
import { commandLine, probe, run } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'callpath-cli-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const TOKEN = file('token', 'a token of sufficient length\n');

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'needs root for a network namespace or another user';

/** A profile with one check, so that a test asks what it means to ask. */
const profileFor = (probeKind: string, transport: string, port: number): string =>
  file(
    `${probeKind}-${transport}-${port}.yaml`,
    [
      'profile: one-check',
      'title: One check',
      'summary: One check for a test',
      'thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }',
      'thresholdsSource: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }',
      'symptomWhenBlocked: cannot-register',
      'requirements:',
      '  - id: only',
      '    need: required',
      '    role: signalling',
      '    purpose: The only check',
      `    check: { probe: ${probeKind}, transport: ${transport}, port: ${port} }`,
      '    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }',
      '',
    ].join('\n'),
  );

const reportOf = (text: string): Report => JSON.parse(text) as Report;
const verdicts = (report: Report): readonly string[] =>
  report.checks.map(({ id, verdict, reason }) => `${id} ${verdict}/${reason}`);

t.test('probe demo', async (t) => {
  const [demo, schema] = await Promise.all([probe(['demo', '--json']), probe(['schema'])]);
  t.equal(demo.code, 0, demo.stderr);
  t.equal(demo.stderr, '', 'nothing but the result');
  const report = reportOf(demo.stdout);
  t.same(
    report.services.map(({ profile, verdict }) => `${profile} ${verdict}`),
    ['business-sip works', 'wifi-calling-t-mobile works', 'facetime works'],
  );
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(schema.stdout) as object);
  t.ok(validate(report), JSON.stringify(validate.errors));
  t.equal(report.target.role, 'reflector');
  t.equal(report.reflectors[0]?.reachable, true);
  t.equal(report.network.natted, false);
  t.equal(report.nat.mapping, 'none');
  for (const check of report.checks) t.equal(check.seen, check.sent, `${check.id}: the far end saw what was sent`);
  const audio = report.checks.find(({ probe }) => probe === 'media-stream');
  t.equal(audio?.sent, 300, 'six seconds of audio, unless --media says otherwise');
});

t.test('--no-nat leaves out the NAT, and says so', async (t) => {
  // One after the other: both want the same ports.
  const whole = reportOf((await probe(['demo', '--json', '--media', '0'])).stdout);
  const without = reportOf((await probe(['demo', '--json', '--no-nat', '--media', '0'])).stdout);
  t.equal(whole.nat.portPreservation, true, 'known to whoever asks');
  t.equal(without.nat.portPreservation, null);
  t.equal(without.nat.filtering, 'unknown');
  t.ok(without.notes.some((note) => note.includes('--no-nat')));
  t.ok(without.services.every(({ verdict }) => verdict === 'works'));
});

t.test('probe demo as an ordinary user, with ports taken', { skip: needsRoot }, async (t) => {
  const blocker = createSocket('udp4');
  await new Promise<void>((resolve) => blocker.bind(5060, '127.0.0.1', resolve));
  t.teardown(() => blocker.close());
  // An empty environment: tap's would make the child write beside the package, which this user may not.
  const prefix = [
    'setpriv',
    '--reuid',
    '65534',
    '--regid',
    '65534',
    '--clear-groups',
    'env',
    '-i',
    `PATH=${process.env.PATH}`,
  ];
  const { code, stdout, stderr } = await run(commandLine('probe', ['demo', '--json'], prefix));
  t.equal(code, 0, stderr);
  const report = reportOf(stdout);
  t.ok(report.services.every(({ verdict }) => verdict === 'works'));
  t.ok(
    report.notes.some((note) => /Port 5060 cannot be bound.*port \d+ stands in/.test(note)),
    'it says which port',
  );
});

t.test('mistakes are one line, and exit 2', async (t) => {
  const SBC = ['--target', '127.0.0.1', '--profile', 'teams-direct-routing'];
  const SOME_TOKEN = { CALLPATH_TOKEN: 'correct-horse-battery-staple' };
  const cases: readonly (readonly [name: string, args: readonly string[], message: RegExp, env?: NodeJS.ProcessEnv])[] =
    [
      ['unknown option', ['--target', '127.0.0.1', '--frobnicate'], /--frobnicate'; see --help/],
      ['mistyped option', ['--taget', '127.0.0.1'], /--taget'; did you mean --target\?/],
      ['mistyped command', ['deamon', '--config', 'x'], /"deamon" .*did you mean "probe daemon"\?/],
      ['mistyped reflector', ['relfector'], /"relfector" .*did you mean "callpath reflector"\?/],
      ['a number below zero', ['--target', '127.0.0.1', '--max-pps', '-5'], /--max-pps: "-5" is not a whole number/],
      ['an option in the place of a value', ['--max-pps', '--json'], /--max-pps: the value begins with a dash; give/],
      [
        'a source of somebody else',
        ['--target', '127.0.0.1', '--source', '192.0.2.77'],
        /--source: 192\.0\.2\.77 is not an address of this host; it has/,
      ],
      ['no command', ['sip.example.org'], /"sip\.example\.org" .*--target sip\.example\.org/],
      ['mistyped option of a command', ['daemon', '--cofnig', 'x'], /--cofnig'; did you mean --config\?/],
      ['both families', ['--target', '127.0.0.1', '-4', '-6'], /-4 and -6/],
      ['a time without a unit that is one', ['--target', '127.0.0.1', '--timeout', '10x'], /--timeout.*90s or 2m/],
      ['too long a time', ['--target', '127.0.0.1', '--timeout', '2h'], /--timeout.*3600/],
      ['no target', ['--json'], /--target is missing/],
      ['a URI', ['--target', 'https://example.org/'], /--target.*host/],
      ['a user without a scheme', ['--target', 'x@example.org'], /--target.*user/],
      ['no port', ['--target', '127.0.0.1:99999'], /--target.*port/],
      ['two ports', ['--target', '127.0.0.1:5070', '--port', '5080'], /--port 5080.*5070/],
      ['port 0', ['--target', '127.0.0.1', '--port', '0'], /--port/],
      ['a URI over WebSocket', ['--target', 'sip:127.0.0.1;transport=ws'], /--target.*transport/],
      ['a URI over another', ['--target', 'sips:127.0.0.1', '--transport', 'udp'], /--transport.*tls/],
      ['from nobody', ['--target', '127.0.0.1', '--from', 'alice'], /--from.*user@domain/],
      ['unknown profile', ['--target', '127.0.0.1', '--profile', 'busines-sip'], /busines-sip.*business-sip/],
      ['missing profile file', ['--target', '127.0.0.1', '--profile', './nowhere.yaml'], /nowhere\.yaml/],
      ['malformed profile', ['--target', '127.0.0.1', '--profile', file('bad.yaml', 'profile: [\n')], /bad\.yaml:\d+/],
      ['range', ['--target', '127.0.0.1', '--rtp-range', '20000-10000'], /--rtp-range/],
      ['transport', ['--target', '127.0.0.1', '--transport', 'sctp'], /--transport.*sctp/],
      ['output', ['--target', '127.0.0.1', '-o', 'xml'], /-o.*xml/],
      ['packets per second', ['--target', '127.0.0.1', '--max-pps', 'many'], /--max-pps/],
      ['timeout', ['--target', '127.0.0.1', '--timeout', '-1'], /--timeout/],
      [
        'token file',
        ['--target', '127.0.0.1', '--token-file', join(folder, 'none')],
        /--token-file.*none.*ENOENT.*copy the file that the reflector made/,
      ],
      ['short token', ['--target', '127.0.0.1', '--token-file', file('short', 'abc\n')], /--token-file.*3 bytes/],
      ['short token in the environment', ['--target', '127.0.0.1'], /CALLPATH_TOKEN/, { CALLPATH_TOKEN: 'abc' }],
      ['reflector without token', ['--target', '127.0.0.1', '--reflector', '127.0.0.2'], /--reflector.*--token-file/],
      ['family', ['--target', '127.0.0.1', '-6'], /-6/],
      ['daemon', ['daemon'], /daemon/],
      ['explain', ['explain', 'droped'], /droped.*dropped/],
      ['a quick look that is deep', ['--target', '127.0.0.1', '--quick', '--deep'], /--quick and --deep/],
      ['a deep look at no NAT', ['--target', '127.0.0.1', '--deep', '--no-nat'], /--deep.*--no-nat/],
      ['audio of no time', ['--target', '127.0.0.1', '--media', '-1'], /--media/],
      ['too much audio', ['--target', '127.0.0.1', '--media', '1h'], /--media.*600/],
      ['a codec that there is not', ['--target', '127.0.0.1', '--codec', 'mp3'], /--codec.*g711, g729, opus/],
      ['no calls', ['--target', '127.0.0.1', '--calls', '0'], /--calls.*1 to 100/],
      ['calls without audio', ['--target', '127.0.0.1', '--calls', '4', '--media', '0'], /--calls.*--media 0/],
      [
        'calls beyond the pace',
        ['--target', '127.0.0.1', '--calls', '8', '--max-pps', '100'],
        /--calls.*--max-pps.*450/,
      ],
      ['silence before no call', ['--target', '127.0.0.1', '--call-idle', '5'], /--call-idle.*add --call/],
      ['a number without an account', ['--target', '127.0.0.1', '--call-to', '600'], /--call-to.*add --account/],
      [
        'an emergency number',
        ['--target', '127.0.0.1', '--account', 'none', '--call-to', '112'],
        /--call-to.*112 may be an emergency number, and is never called/,
      ],
      [
        'an account that is not there',
        ['--target', '127.0.0.1', '--account', 'none', '--call-to', '600'],
        /--account none: cannot be read/,
      ],
      ['a way in without a token', [...SBC, '--inbound', '5061'], /--inbound.*--token-file/],
      ['a way in that is no port', [...SBC, '--inbound', 'x'], /--inbound.*names no port/],
      ['a way in that no row has', [...SBC, '--inbound', '99'], /--inbound.*no row lets in 99/, SOME_TOKEN],
      ['a dialect that there is not', ['--target', '127.0.0.1', '--rules', 'nft'], /--rules.*nftables, iptables/],
      ['rules and a format', ['--target', '127.0.0.1', '--rules', 'pf', '--json'], /--rules and --json/],
      ['rules of no dialect', ['--target', '127.0.0.1', '--test-rules'], /--test-rules.*--rules/],
      ['demo with a target', ['demo', '--target', 'x'], /demo/],
    ];
  for (const [name, args, message, env] of cases) {
    const { code, stdout, stderr } = await probe(args, env);
    t.equal(code, 2, name);
    t.equal(stdout, '', `${name}: nothing on stdout`);
    t.match(stderr, message, name);
    t.equal(stderr.trimEnd().split('\n').length, 1, `${name}: one line`);
  }
  const unwritable = await probe(['demo', '--media', '0', '--out', join(folder, 'no', 'such', 'folder')]);
  t.equal(unwritable.code, 2);
  t.match(unwritable.stderr, /--out .*cannot be written/);
});

t.test('a third party: answered, closed, silent', async (t) => {
  const closed = await probe(['--target', '127.0.0.1', '--profile', profileFor('tcp-connect', 'tcp', 1), '--json']);
  t.same(verdicts(reportOf(closed.stdout)), ['tcp-connect/tcp/1 unknown/closed']);
  t.equal(closed.code, 3);

  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const open = await probe(['--target', '127.0.0.1', '--profile', profileFor('tcp-connect', 'tcp', port), '--json']);
  server.close();
  t.same(verdicts(reportOf(open.stdout)), [`tcp-connect/tcp/${port} pass/answered`]);
  t.equal(open.code, 0);

  const mute = createSocket('udp4');
  await new Promise<void>((resolve) => mute.bind(0, '127.0.0.1', resolve));
  const silent = await probe([
    '--target',
    '127.0.0.1',
    '--profile',
    profileFor('sip-options', 'udp', mute.address().port),
    '--json',
  ]);
  const heard = mute.address().port;
  mute.close();
  t.same(verdicts(reportOf(silent.stdout)), [`sip-options/udp/${heard} unknown/no-answer`]);
  t.equal(silent.code, 3);
});

t.test('a name that does not resolve', async (t) => {
  const { code, stdout } = await probe(['--target', 'nowhere.invalid', '--json']);
  const report = reportOf(stdout);
  t.equal(code, 3);
  t.ok(report.checks.every(({ verdict, reason }) => verdict === 'unknown' && reason === 'dns-failure'));
  t.ok(report.notes.some((note) => note.includes('nowhere.invalid')));
  t.equal(report.totals.packetsSent, 0);
});

t.test('a host without a network, and one whose packets are all dropped', { skip: needsRoot }, async (t) => {
  const name = `callpath-cli-${process.pid}`;
  const inside = ['ip', 'netns', 'exec', name];
  t.teardown(() => run(['ip', 'netns', 'del', name]));
  await run(['ip', 'netns', 'add', name]);
  const args = ['--target', '192.0.2.1', '--token-file', TOKEN, '--json'];

  const alone = await run(commandLine('probe', args, inside));
  t.equal(alone.code, 3, alone.stderr);
  t.ok(reportOf(alone.stdout).checks.every(({ reason }) => reason === 'no-network'));

  for (const command of [
    // The far end of the cable has no address: what is sent arrives nowhere.
    'ip link add d0 type veth peer name d1',
    'ip link set d1 up',
    'ip addr add 192.0.2.2/24 dev d0',
    'ip link set d0 up',
    'ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev d0',
  ]) {
    await run([...inside, ...command.split(' ')]);
  }
  const dropped = await run(commandLine('probe', args, inside));
  const report = reportOf(dropped.stdout);
  t.equal(dropped.code, 3);
  t.ok(report.checks.every(({ verdict, reason }) => verdict === 'unknown' && reason === 'target-unreachable'));
  t.ok(report.durationMs < 8000, `ends within 8 s: ${report.durationMs} ms`);
});

t.test('outputs', async (t) => {
  const out = join(folder, 'report.html');
  const html = await probe(['demo', '--media', '0', '-o', 'html', '--out', out]);
  t.equal(html.code, 0);
  t.equal(html.stdout, '');
  t.match(readFileSync(out, 'utf8'), /^<!doctype html>/i);
  const nagios = await probe(['demo', '-o', 'nagios']);
  t.match(nagios.stdout, /^CALLPATH OK - .*\|/);
  const table = await probe(['demo', '--media', '0'], { FORCE_COLOR: '1' });
  t.notOk(table.stdout.includes('\u001b'), 'no colour off a terminal');
  t.ok(
    table.stdout.split('\n').every((line) => line.length <= 80),
    '80 columns',
  );
  const metrics = await probe(['demo', '--media', '0', '-o', 'prometheus']);
  t.match(metrics.stdout, /^callpath_probe_success\{.*\} 1$/m);
  const ndjson = await probe(['demo', '--media', '0', '-o', 'ndjson']);
  t.equal(ndjson.stdout.trimEnd().split('\n').length, 1);
});

t.test('--dry-run sends nothing and names every check', async (t) => {
  const ears = createSocket('udp4');
  let heard = 0;
  ears.on('message', () => {
    heard += 1;
  });
  await new Promise<void>((resolve) => ears.bind(0, '127.0.0.1', resolve));
  const { port } = ears.address();
  const profile = profileFor('sip-options', 'udp', port);
  const { code, stdout } = await probe(['--target', '127.0.0.1', '--profile', profile, '--dry-run']);
  ears.close();
  t.equal(code, 0);
  t.equal(heard, 0);
  t.match(stdout, new RegExp(`sip-options/udp/${port} .*packets, \\d+ bytes`));
});

t.test('--dry-run counts the SIP that a reflector is asked in the place of the server beside it', async (t) => {
  const token = file('dry', 'a-token-for-a-run-that-is-none\n');
  const proofFor = async (reflector: string): Promise<number> => {
    const to = ['--target', '127.0.0.1', '--reflector', reflector];
    const { stdout } = await probe([...to, '--token-file', token, '--dry-run', '--json']);
    return (JSON.parse(stdout) as { readonly proof: { readonly packets: number } }).proof.packets;
  };
  const [alone, beside] = await Promise.all(['127.0.0.1', '127.0.0.2'].map(proofFor));
  // It compares the same messages; only what passed of its own is asked again, and that is less.
  t.ok(alone !== undefined && beside !== undefined && beside <= alone && beside > alone - 30, `${alone}, ${beside}`);
});

t.test('words', async (t) => {
  t.match((await probe(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  t.match((await probe(['--help'])).stdout, /--target HOST/);
  for (const word of ['-V', 'version']) t.match((await probe([word])).stdout, /^\d+\.\d+\.\d+\n$/, word);
  for (const command of PROBE_COMMANDS) {
    const { code, stdout } = await probe([command, '--help']);
    t.equal(code, 0);
    t.match(stdout, new RegExp(`^Usage: probe ${command}`, 'm'), `${command} has help of its own`);
    t.equal((await probe(['help', command])).stdout, stdout);
    t.ok(stdout.split('\n').every((line) => line.length <= 100));
  }
  t.same(
    SERVICE_DIALECT_NAMES.filter((dialect) => !COMMAND_HELP.profiles?.includes(dialect)),
    [],
    'every dialect is named',
  );
  t.equal((await probe([])).code, 2, 'nothing to do is wrong usage');
  t.match((await probe(['explain', 'sip-options/udp/5060'])).stdout, /OPTIONS/);
  t.match((await probe(['profiles'])).stdout, /^wifi-calling-t-mobile$/m);
  t.match((await probe(['profiles', 'facetime'])).stdout, /HT202078/);
});

const linux = process.platform === 'linux';
t.test('a reflector asked without its token, and with another', { skip: !linux && 'needs 127/8' }, async (t) => {
  const farEnd = await startFarEnd(folder, ['--udp', '3478,5060', '--tcp', '5060,5061', '--control-port', '8443']);
  t.teardown(() => farEnd.stop());
  const without = await probe(['--target', farEnd.address, '--no-nat']);
  t.match(without.stdout.replace(/\s+/g, ' '), /This is a callpath reflector; give its token with --token-file/);
  const wrong = ['--token-file', file('another', 'a-token-of-somebody-elses\n')];
  const refused = await probe(['--target', farEnd.address, '--no-nat', ...wrong]);
  t.equal(refused.code, 3);
  const [headline = ''] = refused.stdout.replace(/\s+/g, ' ').split('Why:');
  t.match(headline, /a callpath reflector answers there and rejects this token/, 'it is said first');
  t.match(
    refused.stdout.replace(/\s+/g, ' '),
    /Why: A callpath reflector answers there.*token files of the two ends differ/,
  );
  const nagios = await probe(['--target', farEnd.address, '--no-nat', '-o', 'nagios', ...wrong]);
  t.match(nagios.stdout, /UNKNOWN.*rejects this token/);
  const quick = await probe(['--target', farEnd.address, '--quick', '--json', '--token-file', farEnd.tokenFile]);
  const report = JSON.parse(quick.stdout) as Report;
  t.equal(report.target.role, 'reflector');
  t.equal(report.sipAlg.detected, null, 'what nobody looked for is not known');
  t.match(report.notes.join(' '), /not tested \(--quick\)/);
  const lines = (await probe(['--target', farEnd.address, '--quick', '--token-file', farEnd.tokenFile])).stdout
    .trim()
    .split('\n');
  t.ok(lines.length <= 14, `${lines.length} lines`);
  t.match(lines.join(' ').replace(/\s+/g, ' '), /Signalling UDP 5060 .*Not tested: SIP ALG/);
});

t.test('both commands under one name', async (t) => {
  const callpath = (...args: readonly string[]) => run(commandLine('callpath', args));
  t.match((await callpath('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  t.match((await callpath('reflector', '--help')).stdout, /^The far end of callpath/);
  t.match((await callpath('probe', 'explain', 'dropped')).stdout, /dropped/);
  t.match((await callpath('explain', 'dropped')).stdout, /dropped/);
  t.equal((await callpath('probe')).code, 2);
});

t.test('SIGINT prints what is known', async (t) => {
  const mute = createSocket('udp4');
  await new Promise<void>((resolve) => mute.bind(0, '127.0.0.1', resolve));
  const profile = profileFor('sip-options', 'udp', mute.address().port);
  const finished = await probe(['--target', '127.0.0.1', '--profile', profile, '--json'], {}, (kill) =>
    mute.once('message', () => kill('SIGINT')),
  );
  mute.close();
  t.equal(finished.code, 130);
  const report = reportOf(finished.stdout);
  t.ok(report.checks.every(({ verdict, reason }) => verdict === 'unknown' && reason === 'not-run'));
  t.ok(finished.seconds < 4, 'at once');
});

t.test('an address that was meant with a port is said to be one without', async (t) => {
  const { stderr } = await probe(['--target', '::1:5060', '--profile', profileFor('tcp-connect', 'tcp', 1), '-6']);
  t.match(stderr, 'warning: --target: ::1:5060 is read as an address without a port; for port 5060 write [::1]:5060');
});

t.test('a mistyped address to listen on is one line', async (t) => {
  const { code, stderr } = await run(
    commandLine('reflector', ['--listen', '192.0.2.77', '--token-file', join(folder, 'new-token')]),
  );
  t.equal(code, 2);
  t.match(stderr, /^reflector: --listen: 192\.0\.2\.77 is not an address of this host; it has [^\n]*\n$/);
});

t.test('a plugin that cannot begin is UNKNOWN', async (t) => {
  for (const args of [
    ['-o', 'nagios'],
    ['--output=nagios', '--frobnicate'],
  ]) {
    const { code, stdout, stderr } = await probe(args);
    t.equal(code, 3, args.join(' '));
    t.match(stdout, /^CALLPATH UNKNOWN - [^\n]+\n$/);
    t.equal(stderr, '');
  }
});

t.test('terms of a report are explained', async (t) => {
  const { stdout } = await probe(['explain', 'address-and-port-dependent'], { COLUMNS: '50' });
  t.match(stdout.replace(/\s+/g, ' '), 'address-and-port-dependent: A different public port for each destination');
  t.match(stdout, '(how a NAT maps, nat.mapping)');
  t.ok(
    stdout.split('\n').every((line) => line.length <= 50),
    'COLUMNS is heeded',
  );
  t.match((await probe(['explain', 'cosmetik'])).stderr, 'did you mean cosmetic');
});

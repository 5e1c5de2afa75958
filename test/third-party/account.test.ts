/** One call with an account at Kamailio, to sipp as an echo: what is told, what is not, and what is never called. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadProbe } from '../../probes/contract.js';
import { parseProbeOptions } from '../../src/cli/options.js';
import type { Account } from '../../src/model/account.js';
import { forbidden, readAccount } from '../../src/probing/account.js';
import { systemNet } from '../../src/run/net.js';
import { callWith } from '../../src/run/studies/call-account.js';
import { judge } from '../../src/verdict/studies/calls.js';
import { registrarMissing, startRegistrar } from '../dialog/support/kamailio.js';
import { ECHOES, sippMissing, startSipp } from '../dialog/support/sipp.js';
import { freePort } from '../dialog/support/wires.js';
import { toolsOf } from '../run/support/context.js';
import { check, THRESHOLDS } from '../verdict/support/facts.js';

const HOST = '127.0.0.1';
const missing = sippMissing || registrarMissing;
t.setTimeout(120_000);

t.test('the file: its owner alone may read it, and no message says what stands in it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'callpath-account-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'account.yaml');
  const write = async (text: string, mode = 0o600): Promise<void> => {
    await writeFile(file, text);
    await chmod(file, mode);
  };
  await write('user: alice\ndomain: sip.test\npassword: "s3cret"\n');
  t.same(readAccount(file, '600'), {
    ...{ user: 'alice', domain: 'sip.test', password: 's3cret', maxCallSeconds: 10, callTo: '600' },
  });
  for (const [text, mode, expected] of [
    ['user: alice\ndomain: sip.test\npassword: s3cret\n', 0o640, /others can read or change it; run chmod 600/],
    ['user: alice\ndomain: sip.test\npassword: s3cret\nextra: s3cret\n', 0o600, /a key is missing, wrong or unknown/],
    ['user: alice\ndomain: "s3cret s3cret"\npassword: s3cret\n', 0o600, /domain is missing, wrong/],
    [
      'user: alice\ndomain: sip.test\npassword: s3cret\nmaxCallSeconds: 600\n',
      0o600,
      /maxCallSeconds is missing, wrong/,
    ],
    ['password: "s3cret\n', 0o600, /is no YAML/],
    ['', 0o600, /is missing, wrong/],
  ] as const) {
    await write(text, mode);
    const said = t.throws(() => readAccount(file, null), { message: expected });
    const { message, stack, cause } = said as Error;
    t.notMatch(`${message} ${stack} ${JSON.stringify(cause)} ${String(cause)}`, /s3cret/);
  }
  t.throws(() => readAccount(join(folder, 'none'), null), { message: /ENOENT/ });
});

t.test('a run with an account has the time of its call', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'callpath-account-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'account.yaml');
  await writeFile(file, 'user: alice\ndomain: sip.test\npassword: s3cret\nmaxCallSeconds: 60\n', { mode: 0o600 });
  const secondsOf = (...more: readonly string[]): number =>
    parseProbeOptions(['--target', 'sip.test', '--account', file, ...more], {}).timeoutMs / 1000;
  const usual = parseProbeOptions(['--target', 'sip.test'], {}).timeoutMs / 1000;
  t.ok(secondsOf() >= usual + 15.5, 'silence to REGISTER');
  t.ok(
    secondsOf('--call-to', '600') >= usual + 30 + 60 + 2 * 15.5,
    'ringing, talking, and silence to BYE and REGISTER',
  );
  t.equal(secondsOf('--timeout', '20'), 20, 'what is asked for holds');
});

t.test('numbers that are never called', async (t) => {
  for (const number of ['112', '911', '999', '000', '110', '118', '119', '9911', '0112', '1-1-2', '11833'])
    t.equal(forbidden(number), 'may be an emergency number', number);
  for (const number of ['15', '17', '18', '117', '120', '150', '155', '158', '997', '998', '9155', '017', '1_1_2'])
    t.equal(forbidden(number), 'may be an emergency number', number);
  for (const number of ['*31#112', '#31#911', '*67911', '*82#9112', '**112', '112#', '*141112'])
    t.equal(forbidden(number), 'may be an emergency number', number);
  for (const number of ['*31#0900123', '#31#+4930123', '*6700493012'])
    t.equal(forbidden(number), 'may be a premium or international number', number);
  for (const number of ['09001234567', '0900-1', '1900555', '+4930123', '0049301', '01144', '90900123', '9+49'])
    t.equal(forbidden(number), 'may be a premium or international number', number);
  for (const number of ['600', '*43', '*31#600', '*600', '42', 'echo', '100200', '4443', '9196'])
    t.equal(forbidden(number), null, number);
});

const called = async (t: Test, port: number, account: Account) => {
  const net = systemNet(200, null);
  const tools = toolsOf(net, { id: new Uint8Array(8), keys: null }, { probe: await loadProbe('sip-options') });
  const facts = await callWith(account, check(`sip-options/udp/${port}`, { address: HOST }), tools);
  t.notMatch(JSON.stringify(facts), new RegExp(account.password));
  const [told] = judge([facts], { trials: 0, answers: 0 }, THRESHOLDS).calls ?? [];
  return told?.steps.map(({ step, verdict, reason, status, untested }) =>
    [step, untested ?? `${verdict}/${reason}`, ...(status === null ? [] : [status])].join(' '),
  );
};
const ALICE = { user: 'alice', domain: 'sip.test', password: 'alicepw', maxCallSeconds: 3 } as const;

t.test('registered, called, heard and hung up', { skip: missing }, async (t) => {
  const echo = await freePort();
  const { port } = await startRegistrar(t, { algorithm: 'SHA-256', users: { alice: 'alicepw' }, echo });
  const { ended } = await startSipp(t, ECHOES, { port: echo, transport: 'udp', peer: ['-rtp_echo'] });
  t.same(await called(t, port, { ...ALICE, callTo: 'echo' }), [
    'register pass/answered 200',
    'invite pass/answered 200',
    'ack third-party',
    'media-outbound pass/answered',
    'media-inbound pass/answered',
    'bye pass/answered 200',
  ]);
  t.match(await ended, { code: 0, errors: '' });
});

t.test('refused, or not there: whose doing it is, is not told', { skip: missing }, async (t) => {
  const { port } = await startRegistrar(t, { algorithm: 'MD5', users: { alice: 'alicepw' } });
  t.same(await called(t, port, { ...ALICE, callTo: 'nobody' }), [
    'register pass/answered 200',
    'invite unknown/closed 404',
  ]);
  t.same(await called(t, port, { ...ALICE, password: 'guess1', callTo: 'nobody' }), [
    'register unknown/closed 401',
    'invite not-registered',
  ]);
  t.same(await called(t, await freePort(), { ...ALICE, callTo: null }), ['register unknown/no-answer']);
});

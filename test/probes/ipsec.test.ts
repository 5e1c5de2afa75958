/** IKE with more rounds than one: strongSwan that wants cookies and another group, with NAT on either side and without. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import t from 'tap';
import { loadProbe, type Session } from '../../probes/contract.js';
import type { Report } from '../../src/model/report.js';
import { askCheck } from '../../src/run/ask/ask.js';
import { buildSaInitResponse, findNotify, NO_SPI, NOTIFY_TYPES, notify, parseIke } from '../../src/wire/ike.js';
import { commandLine, run } from '../cli/command.js';
import { toolsOf } from '../run/support/context.js';
import { fakeNet, type Script } from '../run/support/fake-net.js';
import { check } from '../verdict/support/facts.js';
import { charonMissing, startCharon } from '../wire/support/charon.js';
import { profileText, testFolder } from './support/profile-file.js';

const NFT = '/usr/sbin/nft';
const missing = charonMissing || (existsSync(NFT) ? false : 'needs nft (Debian: nftables)');

/** Between the agent and charon, both on one loopback: the first address is translated behind us, the second before them. */
const NAT = `
table ip between {
  chain out {
    type nat hook output priority -100;
    ip daddr 127.0.0.8 udp dport { 500, 4500 } dnat to 127.0.0.1
  }
  chain post {
    type nat hook postrouting priority 100;
    ip daddr 127.0.0.1 ip saddr 127.0.0.7 udp dport { 500, 4500 } snat to 127.0.0.9
  }
}
`;

t.test('strongSwan accepts, after a cookie and in the group that it wants', { skip: missing }, async (t) => {
  const folder = testFolder();
  t.teardown(folder.remove);
  const charon = await startCharon();
  t.teardown(charon.stop);
  charon.acceptEcp256();
  const prefix = ['ip', 'netns', 'exec', charon.namespace];
  const [command = '', ...words] = prefix;
  execFileSync(command, [...words, NFT, '-f', '-'], { input: NAT });
  const questions = ['ike-sa-init/udp/500', 'ike-sa-init/udp/4500'];
  const profile = folder.file(
    'ike.yaml',
    profileText(
      'ike',
      questions.map((question) => ({ question })),
    ),
  );
  const ask = async (target: string, source?: string): Promise<Report> => {
    const from = source === undefined ? [] : ['--source', source];
    const args = ['--target', target, '--profile', profile, '--json', ...from];
    const { stdout, stderr } = await run(commandLine('probe', args, prefix));
    t.equal(stderr, '');
    return JSON.parse(stdout) as Report;
  };
  const cases = [
    { name: 'no NAT', target: '127.0.0.1', nat: { natBeforeUs: false, natBeforeThem: false } },
    {
      name: 'NAT before us',
      target: '127.0.0.1',
      source: '127.0.0.7',
      nat: { natBeforeUs: true, natBeforeThem: false },
    },
    { name: 'NAT before them', target: '127.0.0.8', nat: { natBeforeThem: true } },
    { name: 'IPv6', target: '::1', nat: { natBeforeUs: false, natBeforeThem: false } },
  ];
  for (const { name, target, source, nat } of cases) {
    const report = await ask(target, source);
    for (const id of questions) {
      const found = report.checks.find((one) => one.id === id);
      t.match(found, { verdict: 'pass', reason: 'answered' }, `${name}: ${id}`);
      t.match(found?.evidence.answer, { result: 'accepted', group: 'ECP-256', ...nat }, `${name}: ${id}`);
      t.ok(JSON.stringify(found?.evidence.answer).includes('invalid-ke'), `${name}: it wanted another group first`);
    }
    t.equal(report.network.natted, 'natBeforeUs' in nat ? nat.natBeforeUs : report.network.natted, name);
  }
  t.match(charon.log(), /\[ N\(COOKIE\) \]/, 'it demanded cookies');
  t.match(charon.log(), /parsed IKE_SA_INIT request 0 \[ N\(COOKIE\) SA KE No/, 'and got them back in front');
});

const STRANGER: Session = { id: Buffer.alloc(8, 1), keys: null };

const converse = async (answer: (request: Uint8Array, index: number) => Uint8Array | null, atMost = 3) => {
  const script: Script = {
    udp: ({ bytes, index }) => {
      const said = answer(bytes, index);
      return said ? [{ afterMs: 20, bytes: said }] : [];
    },
  };
  const net = fakeNet(script);
  const observation = await net.run(
    askCheck(
      check('ike-sa-init/udp/500'),
      await loadProbe('ike-sa-init'),
      { samples: 1, doubt: 1e-3, atMost },
      toolsOf(net, STRANGER),
    ),
  );
  t.equal(net.openSockets(), 0, 'no socket stays open');
  t.equal(net.timers(), 0, 'no timer stays behind');
  return { net, observation };
};

const reply = (request: Uint8Array, type: number, data: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const parsed = parseIke(request);
  if (!parsed.ok) throw new Error(parsed.refusal);
  const { spiI } = parsed.value.header;
  return buildSaInitResponse({ spiI, spiR: NO_SPI, notifies: [notify(type, data)], vendorIds: [] });
};
const payloads = (bytes: Uint8Array) => {
  const parsed = parseIke(bytes);
  return parsed.ok ? parsed.value.payloads : [];
};
const cookieOf = (bytes: Uint8Array) => findNotify(payloads(bytes), NOTIFY_TYPES.COOKIE)?.data ?? null;
const nonceOf = (bytes: Uint8Array) => payloads(bytes).find((one) => one.kind === 'nonce')?.value;

t.test('the second round is the first one with the cookie in front, on the same socket', async (t) => {
  const { net, observation } = await converse((request) =>
    cookieOf(request)
      ? reply(request, NOTIFY_TYPES.NO_PROPOSAL_CHOSEN)
      : reply(request, NOTIFY_TYPES.COOKIE, Buffer.from('c00c1e')),
  );
  const [first, second] = net.sent;
  t.equal(net.sent.length, 2);
  t.equal(first?.localPort, second?.localPort);
  t.strictSame(Buffer.from(cookieOf(second?.bytes ?? new Uint8Array(0)) ?? []).toString(), 'c00c1e');
  t.strictSame(nonceOf(first?.bytes ?? new Uint8Array(0)), nonceOf(second?.bytes ?? new Uint8Array(0)));
  t.match(observation.attempts, [
    {
      outcome: 'answer',
      packets: 2,
      answers: 2,
      rttMs: 20,
      detail: { result: 'notify', rounds: [{ result: 'cookie' }] },
    },
  ]);
});

t.test('a lost second round is repeated, and one that is never answered leaves the first as the answer', async (t) => {
  const lost = await converse((request, index) => {
    if (!cookieOf(request)) return reply(request, NOTIFY_TYPES.COOKIE, Buffer.from('cookie'));
    return index < 2 ? null : reply(request, NOTIFY_TYPES.NO_PROPOSAL_CHOSEN);
  });
  t.match(lost.observation.attempts, [{ outcome: 'answer', packets: 3, answers: 2, rttMs: null }]);
  const never = await converse((request) =>
    cookieOf(request) ? null : reply(request, NOTIFY_TYPES.COOKIE, Buffer.from('cookie')),
  );
  t.match(never.observation.attempts[0], { outcome: 'answer', detail: { result: 'cookie' } });
});

t.test('who wants ever more rounds is not followed', async (t) => {
  const greedy = await converse((request, index) =>
    reply(request, NOTIFY_TYPES.COOKIE, Buffer.from(`cookie ${index}`)),
  );
  t.ok(greedy.net.sent.length <= 8, `${greedy.net.sent.length} packets`);
  t.match(greedy.observation.attempts[0], { outcome: 'answer', detail: { result: 'cookie' } });
  const stubborn = await converse((request) => reply(request, NOTIFY_TYPES.COOKIE, Buffer.from('always the same')));
  t.match(
    stubborn.observation.attempts[0],
    { outcome: 'answer', detail: { result: 'cookie', isNeverSatisfied: true } },
    'a demand that was met is no new one, and an answer all the same',
  );
  const strange = await converse((request) =>
    reply(request, NOTIFY_TYPES.INVALID_KE_PAYLOAD, Buffer.from('0002', 'hex')),
  );
  t.equal(strange.net.sent.length, 1, 'a group that we do not have is an answer and no demand');
  t.match(strange.observation.attempts, [
    { outcome: 'answer', detail: { result: 'invalid-ke', wantedGroup: 'group 2' } },
  ]);
});

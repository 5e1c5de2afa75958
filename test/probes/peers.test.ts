/** The command line against servers that others wrote: Kamailio, coturn and strongSwan's charon. */
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { commandLine, run } from '../cli/command.js';
import { type Peers, peersMissing, startPeers } from './support/peers.js';
import { profileText, type Row, testFolder } from './support/profile-file.js';

const MEDIA: Row = { question: 'rtp-echo+rtcp-echo/udp/16384-16403', role: 'media' };
const QUESTIONS = [
  'sip-options/udp/5060',
  'sip-options/tcp/5060',
  'sip-options/tls/5061',
  'stun-binding/udp/3478',
  'ike-sa-init/udp/500',
  'ike-sa-init/udp/4500',
] as const;
const OPENINGS = ['tcp-connect/tcp/5060', 'tls-handshake/tls/5061'] as const;

t.test('real servers as third parties', { skip: peersMissing }, async (t) => {
  const folder = testFolder();
  t.teardown(folder.remove);
  const peers: Peers = await startPeers();
  t.teardown(peers.stop);
  const probe = async (questions: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const rows = [...questions.map((question): Row => ({ question })), MEDIA];
    const profile = folder.file('peers.yaml', profileText('peers', rows));
    const args = ['--target', '127.0.0.1', '--profile', profile, '--json'];
    const { code, stdout, stderr } = await run(commandLine('probe', args, peers.prefix), env);
    t.equal(stderr, '', 'nothing but the report');
    return { code, report: JSON.parse(stdout) as Report };
  };
  const verdicts = ({ checks }: Report): readonly string[] =>
    checks.map(({ id, verdict, reason }) => `${id} ${verdict}/${reason}`);

  await t.test('asked by a stranger', async (t) => {
    const { code, report } = await probe([...QUESTIONS, ...OPENINGS]);
    t.strictSame(
      verdicts(report),
      [...QUESTIONS, ...OPENINGS].map((id) => `${id} pass/answered`),
    );
    t.equal(code, 0);
    t.match(report.target, { role: 'third-party', addresses: ['127.0.0.1'] });
    t.strictSame(report.reflectors, []);
    for (const { id, rttMs, sent, received, seen, confidence } of report.checks) {
      t.ok(rttMs && rttMs.min > 0 && rttMs.min <= rttMs.median && rttMs.median < 1000, `${id}: ${rttMs?.median} ms`);
      t.ok(received >= 3 && received <= sent, `${id}: ${received} of ${sent}`);
      t.equal(seen, null, `${id}: nobody could be asked what it saw`);
      t.equal(confidence, 0.999, `${id}: nothing proves who answered`);
    }
    t.match(report.services, [{ profile: 'peers', verdict: 'works', symptoms: [], fixes: [] }]);
    t.strictSame(
      report.services[0]?.untested,
      ['rtp-echo/udp/16384-16402', 'rtcp-echo/udp/16385-16403', 'sip-alg/udp/5060', 'sip-alg/tcp/5060'],
      'what a third party cannot answer is listed and does not count',
    );
    t.match(report.ranges, [
      { id: 'rtp-echo/udp/16384-16402', verdict: 'unknown', reason: 'not-run', tested: 0 },
      { id: 'rtcp-echo/udp/16385-16403', verdict: 'unknown', reason: 'not-run', tested: 0 },
    ]);

    const answer = (id: string): unknown => report.checks.find((check) => check.id === id)?.evidence.answer;
    for (const id of ['sip-options/udp/5060', 'sip-options/tcp/5060', 'sip-options/tls/5061']) {
      t.match(answer(id), { status: 200, server: /kamailio/i }, `${id}: Kamailio`);
    }
    t.match(answer('stun-binding/udp/3478'), { mappedAddress: '127.0.0.1', error: null, software: /coturn/i });
    t.match(answer('ike-sa-init/udp/500'), { result: /^(notify|cookie)$/ }, 'charon without a connection');
    t.match(answer('ike-sa-init/udp/4500'), { result: /^(notify|cookie)$/ }, 'behind the non-ESP marker');
    t.match(answer('tls-handshake/tls/5061'), { tls: { certificateTrusted: false, protocol: /^TLS/ } });
    t.strictSame(report.network.mappedAddresses, ['127.0.0.1']);
    t.equal(report.network.natted, false);
  });

  await t.test('asked with a token that they do not know', async (t) => {
    const { code, report } = await probe(QUESTIONS, { CALLPATH_TOKEN: 'a token that no server knows' });
    t.strictSame(
      verdicts(report),
      QUESTIONS.map((id) => `${id} unknown/unproven`),
      'whoever answers in the place of a reflector is no proof of a path',
    );
    t.equal(code, 3);
    t.ok(
      report.checks.every(({ received }) => received > 0),
      'the tag disturbs nobody: all of them answer',
    );
    t.match(report.target, { role: 'third-party' });
    t.ok(
      report.notes.some((note) => note.startsWith('A token was given, but 127.0.0.1 did not prove that it knows it')),
      report.notes.join(' '),
    );
    t.ok(report.checks.every(({ evidence }) => evidence.authentic === false));
  });
});

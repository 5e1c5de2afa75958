/** `probe explain CODE`: every code has a text, and a reader can read it on a terminal. */
import t from 'tap';
import { PROBE_KINDS } from '../../src/model/kinds.js';
import { NOT_RUN } from '../../src/model/observation.js';
import { REASONS, SERVICE_VERDICTS, SYMPTOMS, VERDICTS } from '../../src/model/verdict.js';
import { EXPLAINED_CODES, explain, nearestCodes, renderExplanation } from '../../src/words/explain.js';

const ALL = [
  ...VERDICTS,
  ...Object.values(REASONS).flat(),
  ...SERVICE_VERDICTS,
  ...SYMPTOMS,
  ...PROBE_KINDS,
  ...NOT_RUN,
];

t.test('every code is explained, with what it does not prove and what to do', async (t) => {
  t.strictSame([...EXPLAINED_CODES].sort(), [...new Set(ALL)].sort());
  for (const code of EXPLAINED_CODES) {
    const explanation = explain(code);
    if (explanation === null) {
      t.fail(`${code} has no text`);
      continue;
    }
    t.equal(explanation.code, code);
    t.ok(explanation.kinds.length > 0, `${code}: is of a kind`);
    t.notMatch(explanation.title, /\.$/, `${code}: a title is no sentence`);
    for (const field of ['meaning', 'evidence', 'doesNotProve', 'fix'] as const) {
      t.match(explanation[field], /^[A-Z].{8,}\.$/, `${code}: ${field} is a sentence`);
      t.notMatch(explanation[field], / {2}|\n/, `${code}: ${field} is one paragraph`);
    }
  }
});

t.test('a code of two kinds has one text that says so', async (t) => {
  t.strictSame(explain('degraded')?.kinds, ['verdict', 'service verdict']);
  t.strictSame(explain('blocked')?.kinds, ['verdict', 'service verdict']);
  t.strictSame(explain('unknown')?.kinds, ['verdict', 'service verdict']);
  t.strictSame(explain('sip-alg')?.kinds, ['reason', 'probe']);
  t.strictSame(explain('no-network')?.kinds, ['reason', 'why a check was not asked']);
  t.equal(explain('dropped-inbound')?.verdict, 'blocked');
  t.equal(explain('no-audio')?.verdict, null);
});

t.test('ids of checks and ranges are explained by their probe and port', async (t) => {
  const sip = explain('sip-options/udp/5060#198.51.100.7');
  t.match(sip, { code: 'sip-options/udp/5060', kinds: ['check'], title: 'SIP OPTIONS on UDP port 5060' });
  t.match(sip?.meaning, /SIP ALGs act/, 'the well-known port is named');
  t.equal(explain('sip-options/tls/5061#2001:db8::7')?.title, 'SIP OPTIONS on TLS port 5061');
  t.equal(explain('rtp-echo/udp/16384')?.meaning, explain('rtp-echo')?.meaning, 'an ordinary port adds nothing');
  t.match(explain('rtp-echo/udp/16384-32766'), {
    code: 'rtp-echo/udp/16384-32766',
    kinds: ['range'],
    title: 'RTP echo on UDP ports 16384-32766',
  });
  t.match(explain('  dropped '), { code: 'dropped' }, 'blanks around it do no harm');
});

t.test('a kind that runs look into by themselves says so', async (t) => {
  t.match(explain('media-stream')?.meaning, /A run looks into it by itself, .*profiles do not name it\.$/);
  t.match(explain('media-stream/udp/16384')?.meaning, /A run looks into it by itself, .*profiles do not name it\.$/);
  t.notMatch(explain('rtp-echo')?.meaning, /by itself/);
});

t.test('what is no code is not explained', async (t) => {
  const none = [
    '',
    'nonsense',
    'constructor',
    '__proto__',
    'Blocked',
    'sip-options/udp',
    'sip-options/sctp/5060',
    'sip-options/udp/0',
    'sip-options/udp/65536',
    'sip-options/udp/5060-5059',
    'sip-options/udp/5060-65536',
    'sip-options/udp/5060#',
    'sip-options/udp/5060#\u001b[2J',
    'x'.repeat(1_000_000),
    `${'a/'.repeat(500_000)}`,
  ];
  for (const code of none) t.equal(explain(code), null, JSON.stringify(code.slice(0, 40)));
});

t.test('suggestions', async (t) => {
  t.equal(nearestCodes('droped-outbound')[0], 'dropped-outbound');
  t.equal(nearestCodes('Blocked')[0], 'blocked');
  t.ok(nearestCodes('one-way-audio').includes('one-way-audio-inbound'), 'a beginning');
  t.equal(nearestCodes('sip-option/udp/5060')[0], 'sip-options/udp/5060');
  t.strictSame(nearestCodes('sip-options/udp/99999'), [], 'none that would not be explained either');
  t.strictSame(nearestCodes('weather'), []);
  t.strictSame(nearestCodes(''), []);
  t.ok(nearestCodes('r').length <= 3);
});

t.test('the rendering fits a terminal', async (t) => {
  for (const code of [...EXPLAINED_CODES, 'rtp-echo/udp/16384-32766', 'ike-sa-init/udp/4500']) {
    const explanation = explain(code);
    if (explanation === null) throw new Error(`${code} has no text`);
    for (const width of [40, 80, 200, 0, Number.NaN]) {
      const text = renderExplanation(explanation, { color: false, width });
      const columns = width === 40 ? 40 : 80;
      const tooLong = text.split('\n').filter((line) => line.length > columns);
      t.strictSame(tooLong, [], `${code} at ${width}: at most ${columns} columns`);
      t.notMatch(text, /[^\n\P{Cc}]/u, `${code}: no control characters`);
    }
  }
});

t.test('the rendering, word for word', async (t) => {
  const explanation = explain('dropped-inbound');
  if (explanation === null) throw new Error('no text');
  const plain = renderExplanation(explanation, { color: false, width: 80 });
  t.equal(
    plain,
    `dropped-inbound: Return traffic is lost
(reason, under the verdict "blocked")

What it means
  The message arrives and is answered, and the answer never comes back.

What it rests on
  The far end has receipts for what arrived and says that it answered; the agent
  received nothing.

What it does not prove
  That inbound connections must be opened: an answer belongs to a flow that
  began inside.

What to do
  Make the rule stateful, so that return traffic passes, or permit the return
  direction explicitly.
`,
  );
  const colored = renderExplanation(explanation, { color: true, width: 80 });
  t.match(colored, '\u001b[1mWhat to do\u001b[0m\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes are what is looked for
  t.equal(colored.replace(/\u001b\[[01]m/g, ''), plain, 'color changes nothing else');
});

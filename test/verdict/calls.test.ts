/** What both ends know of a call, and what it comes to: each way in which a message can be lost, and each in which it was not. */
import t from 'tap';
import type { LossSample } from '../../src/model/observation.js';
import type { CallFacts, CallLeg, CallStepFacts } from '../../src/model/study-facts.js';
import { judge as judgeCalls } from '../../src/verdict/studies/calls.js';
import { callInWords, STEP_NAMES, stepInWords } from '../../src/words/calls.js';
import { THRESHOLDS } from './support/facts.js';

const judge = (facts: readonly CallFacts[], loss: LossSample) => judgeCalls(facts, loss, THRESHOLDS);
const CLEAN = { trials: 200, answers: 200 };
const LOSSY = { trials: 200, answers: 140 };

const leg = (some: Partial<CallLeg> = {}): CallLeg => ({
  ...{ from: 'agent', kind: 'request', sent: 4, witnessed: 4, arrived: 4, answered: 4, received: 1 },
  ...some,
});
const step = (legs: readonly CallLeg[], some: Partial<CallStepFacts> = {}): CallStepFacts => ({
  ...{ step: 'bye', untested: null, status: 200, ms: 20, legs },
  ...some,
});
const call = (steps: readonly CallStepFacts[], some: Partial<CallFacts> = {}): CallFacts => ({
  ...{ address: '192.0.2.1', family: 4, transport: 'udp', port: 5060, direction: 'outbound', idle: null, steps },
  ...{ changed: [], notTried: null, passesStill: true },
  ...some,
});
const said = (facts: CallFacts, loss = CLEAN): string => {
  const [one] = judge([facts], loss).calls ?? [];
  const [first] = one?.steps ?? [];
  return `${first?.verdict}/${first?.reason}`;
};

t.test('a leg of a call: where it was lost, and when that is not known', async (t) => {
  const cases: readonly (readonly [string, CallLeg, string])[] = [
    ['sent, arrived, answered, received', leg(), 'pass/answered'],
    ['ours never arrives', leg({ arrived: 0, answered: 0, received: 0 }), 'blocked/dropped-outbound'],
    ['ours arrives, its answer never comes', leg({ received: 0 }), 'blocked/dropped-inbound'],
    ['theirs never arrives', leg({ from: 'far-end', arrived: 0, answered: 0, received: 0 }), 'blocked/dropped-inbound'],
    ['theirs arrives, our answer never does', leg({ from: 'far-end', received: 0 }), 'blocked/dropped-outbound'],
    ['it arrived and the far end did not answer', leg({ answered: 0, received: 0 }), 'unknown/limited'],
    ['the far end did not tell', leg({ arrived: null, answered: null }), 'unknown/no-answer'],
    ['nothing went out', leg({ sent: 0, witnessed: 0, arrived: 0, answered: 0, received: 0 }), 'unknown/not-run'],
    ['an answer to what never arrived', leg({ arrived: 0, answered: 0, received: 1 }), 'altered/answered-by-other'],
    ['the line was away', leg({ witnessed: 0, arrived: 0, answered: 0, received: 0 }), 'unknown/outage'],
    ['too few for loss', leg({ sent: 1, witnessed: 1, arrived: 0, answered: 0, received: 0 }), 'unknown/no-answer'],
    ['an ACK arrives', leg({ kind: 'one-way', answered: null, received: null }), 'pass/answered'],
    [
      'an ACK never does',
      leg({ kind: 'one-way', arrived: 0, answered: null, received: null }),
      'blocked/dropped-outbound',
    ],
  ];
  for (const [name, one, expected] of cases) t.equal(said(call([step([one])])), expected, name);
  const lost = leg({ arrived: 0, answered: 0, received: 0 });
  t.equal(said(call([step([lost])]), LOSSY), 'unknown/no-answer', 'on a line that loses a third four are not enough');
  t.equal(said(call([step([lost])], { passesStill: false })), 'unknown/cut-off', 'nothing of SIP passes any more');
  t.equal(said(call([step([leg(), lost])])), 'blocked/dropped-outbound', 'the worst of a step counts');
});

t.test('steps that were not tried, and answers that refuse', async (t) => {
  t.equal(said(call([step([], { untested: 'no-call', status: null })])), 'unknown/not-run');
  t.equal(said(call([step([leg()], { status: 481 })])), 'unknown/unreadable');
});

const invite = (via: string): Buffer =>
  Buffer.from(
    `INVITE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP ${via};branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`,
  );

t.test('what is changed on the way shows in its step, with the field', async (t) => {
  const changed = [
    { direction: 'outbound', name: 'INVITE 1', sent: invite('10.0.0.2:5060'), received: invite('192.0.2.7:5060') },
  ] as const;
  const facts = call([step([leg()], { step: 'invite' }), step([leg()])], { changed });
  const { calls, checks, sipAlg } = judge([facts], CLEAN);
  t.same(
    calls?.[0]?.steps.map(({ verdict }) => verdict),
    ['altered', 'pass'],
  );
  t.match(checks?.[0]?.finding, { verdict: 'altered', reason: 'sip-alg' });
  t.match(sipAlg, { detected: true, findings: [{ method: 'INVITE', field: 'Via', direction: 'outbound' }] });
  t.equal(judge([call([step([leg()])])], CLEAN).sipAlg, undefined, 'what was not compared says nothing');
});

t.test('a call after silence: without keepalives it is told and held against nobody', async (t) => {
  const lost = step([leg({ from: 'far-end', arrived: 0, answered: 0, received: 0 })], { step: 'inbound-after-idle' });
  const after = (keepalives: boolean): CallFacts =>
    call([lost], { direction: 'inbound', idle: { ms: 35_000, keepalives } });
  const good = call([step([leg()], { step: 'invite' })]);
  t.equal(judge([good, after(false)], CLEAN).checks?.[0]?.finding.verdict, 'pass');
  t.equal(judge([good, after(false)], CLEAN).calls?.[1]?.steps[0]?.verdict, 'blocked');
  t.equal(judge([good, after(true)], CLEAN).checks?.[0]?.finding.verdict, 'blocked');
});

t.test('where there was no call the report says why', async (t) => {
  for (const [notTried, reason] of [
    ['not-offered', 'not-run'],
    ['needs-connection', 'not-run'],
    ['held-back', 'limited'],
    ['no-answer', 'no-answer'],
  ] as const) {
    const { checks, calls, notes } = judge([call([], { notTried })], CLEAN);
    t.match(checks?.[0]?.finding, { verdict: 'unknown', reason });
    t.same(calls, []);
    t.match(notes, [/^No call was tried: /]);
  }
});

t.test('words: what a step comes to, in a line', async (t) => {
  const wordsOf = (one: CallStepFacts): string => {
    const [told] = judge([call([one])], CLEAN).calls ?? [];
    const [first] = told?.steps ?? [];
    return first ? stepInWords(first) : '';
  };
  t.equal(wordsOf(step([leg()])), 'passes, 200');
  t.equal(
    wordsOf(step([leg({ arrived: 0, answered: 0, received: 0 })], { status: null })),
    'blocked: did not arrive at the far end (4 sent, none arrived)',
  );
  t.equal(
    wordsOf(step([leg({ received: 0 })], { status: null })),
    'blocked: it arrived, and its answer did not arrive here',
  );
  t.equal(wordsOf(step([], { untested: 'no-call' })), 'not tried: there was no call');
  const [after] =
    judge([call([step([leg()])], { direction: 'inbound', idle: { ms: 35_000, keepalives: true } })], CLEAN).calls ?? [];
  t.equal(after && callInWords(after), 'Call from outside over UDP 5060, after 35 seconds with keepalives');
  t.ok(Object.values(STEP_NAMES).every((name) => name.length <= 40));
});

/** Silence that was weighed against a path thought better than it is: asked further, until it is long enough. */
import t from 'tap';
import { loadProbe, type Session } from '../../probes/contract.js';
import type { Observation } from '../../src/model/observation.js';
import { askCheck } from '../../src/run/ask/ask.js';
import { createPath } from '../../src/run/path.js';
import { settle, settleArrived } from '../../src/run/phases/ask-until-certain.js';
import { witness, witnessEnough } from '../../src/run/phases/fetch-receipts.js';
import { doubtOfSilence } from '../../src/verdict/silence.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { check } from '../verdict/support/facts.js';
import { contextOf } from './support/context.js';
import { fakeNet } from './support/fake-net.js';

const SESSION_ID = Buffer.from('0123456789abcdef', 'hex');
const AGENT: Session = { id: SESSION_ID, keys: deriveKeys(TOKEN, SESSION_ID) };
const DOUBT = 1e-3;
const NEVER = new AbortController().signal;

/** A check given up while the path looked clean; then `trials` packets of which `lost` were lost are learnt of. */
const lateLoss = async (trials: number, lost: number) => {
  const net = fakeNet();
  const path = createPath();
  path.report('others', 60, 60);
  const probe = await loadProbe('stun-binding');
  const context = contextOf(net, AGENT);
  const of = check('stun-binding/udp/3478');
  const first = await net.run(askCheck(of, probe, context, path, { samples: 1, doubt: DOUBT }, NEVER));
  const before = net.sent.length;
  path.report('others', trials, trials - lost);
  const how = { context, path, probeOf: () => probe, doubtOf: () => DOUBT, signal: NEVER };
  const [settled = first] = await net.run(settle([first], how));
  const packets = settled.attempts.reduce((sum, attempt) => sum + attempt.packets, 0);
  return { before, after: net.sent.length, packets, settled, first, path };
};

t.test('nothing new is learnt: nothing is sent', async (t) => {
  const { before, after, settled, first } = await lateLoss(60, 0);
  t.equal(after, before);
  t.same(settled, first);
});

t.test('the path loses more than was known: asked until that loss cannot explain the silence', async (t) => {
  const { before, after, packets, path, settled } = await lateLoss(60, 12);
  t.ok(doubtOfSilence(before, path.upperBound()) > DOUBT, 'too few were sent at first');
  t.ok(doubtOfSilence(packets, path.upperBound()) <= DOUBT, 'enough are by now');
  t.ok(doubtOfSilence(packets - 1, path.upperBound()) > DOUBT, 'and not one more than that');
  t.equal(packets, after, 'all are accounted for');
  t.equal(settled.sequences.length, new Set(settled.sequences).size, 'the far end is asked of each once');
});

t.test('a path on which no silence proves anything is left alone', async (t) => {
  const { before, after } = await lateLoss(60, 50);
  t.equal(after, before);
});

/** Silence of which the far end says that `seen` of its packets arrived, on a path that loses `lost` of sixty. */
const heardOf = async (seen: number, lost: number) => {
  const net = fakeNet();
  const path = createPath();
  path.report('others', 60, 60 - lost);
  const probe = await loadProbe('stun-binding');
  const context = contextOf(net, AGENT, 100);
  const heard: Observation = {
    check: check('stun-binding/udp/3478'),
    attempts: [{ outcome: 'silence', packets: 8, opened: null }],
    sequences: [1, 2, 3, 4, 5, 6, 7, 8],
    refused: {},
    seen,
    notRun: null,
  };
  const how = { context, path, probeOf: () => probe, doubtOf: () => DOUBT, signal: NEVER };
  const [settled = heard] = await net.run(settleArrived([heard], how));
  return { settled, heard, further: net.sent.length };
};

t.test('answers are dropped, and chance let too few questions arrive to prove it', async (t) => {
  const few = await heardOf(3, 12);
  t.ok(few.further > 0, 'asked once more');
  t.same(few.settled.sequences.slice(8), [101], 'so that the far end can be asked what arrived of that');
  t.same((await heardOf(7, 12)).further, 0, 'enough arrived');
  t.same((await heardOf(3, 50)).further, 0, 'a path on which nothing would prove it');
  t.same((await heardOf(0, 12)).further, 0, 'nothing arrived: what was sent is the evidence');
});

t.test('what arrived is asked again for those alone that were asked further', async (t) => {
  const { heard } = await heardOf(3, 12);
  const other: Observation = { ...heard, check: check('stun-binding/udp/3479'), seen: 8 };
  const queries: (readonly Observation[])[] = [];
  const told = await witnessEnough(
    [heard, other],
    async (first) => first.map((one) => (one.check.port === 3478 ? { ...one, sequences: [...one.sequences, 9] } : one)),
    async (untold) => {
      queries.push(untold);
      return { observations: untold.map((one) => ({ ...one, seen: one.sequences.length })), heldBack: queries.length };
    },
  );
  t.same(
    queries.map((asked) => asked.map((one) => one.check.port)),
    [[3478, 3479], [3478]],
  );
  t.same(
    told.observations.map(({ seen }) => seen),
    [9, 8],
  );
  t.equal(told.heldBack, 2, 'the most that was told');
});

t.test('what the far end has forgotten takes the word for nothing else with it', async (t) => {
  const reflector = pureReflector();
  const net = fakeNet({
    udp: ({ bytes, localPort }) => {
      const answer = reflector.datagram(bytes, { address: '192.0.2.7', port: localPort, localPort: 3478 });
      return answer ? [{ afterMs: 1, bytes: answer }] : [];
    },
  });
  const context = contextOf(net, AGENT, 140_000);
  const silent = (port: number, sequences: readonly number[]): Observation => ({
    check: check(`rtp-echo/udp/${port}`),
    attempts: [{ outcome: 'silence', packets: sequences.length, opened: null }],
    sequences,
    refused: {},
    seen: null,
    notRun: null,
  });
  // A reflector remembers the last 131,072 numbers of a session.
  const asked = [silent(16_384, [500]), silent(16_386, [139_990, 139_991])];
  const way = check('udp-echo/udp/3478');
  const { observations } = await net.run(witness(asked, [way], context, createPath(), NEVER));
  t.same(
    observations.map(({ seen }) => seen),
    [null, 0],
  );
});

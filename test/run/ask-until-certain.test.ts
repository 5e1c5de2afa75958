/** Silence that was weighed against a path thought better than it is: asked further, until it is long enough. */
import t from 'tap';
import type { Observation } from '../../src/model/observation.js';
import { askUntilCertain } from '../../src/run/phases/ask-until-certain.js';
import { fetchReceipts } from '../../src/run/phases/fetch-receipts.js';
import type { RunState } from '../../src/run/state.js';
import { doubtOfSilence } from '../../src/verdict/silence.js';
import { pureReflector } from '../support/pure-reflector.js';
import { ADDRESS, check, observed, silence, UNTIMED } from '../verdict/support/facts.js';
import { type FakeNet, fakeNet } from './support/fake-net.js';
import { stateWith } from './support/state.js';

const DOUBT = 1e-3;
const STUN = check('stun-binding/udp/3478');

const packetsOf = ({ attempts }: Observation): number => attempts.reduce((sum, { packets }) => sum + packets, 0);
const only = (state: RunState): Observation => state.observations.inOrder()[0] ?? observed(STUN, []);

/** A check given up after `before` packets; then it is learnt that of sixty packets `lost` were lost. */
const lateLoss = async (before: number, lost: number) => {
  const net = fakeNet();
  const state = await stateWith(net, [observed(STUN, silence(before), { sequences: [500] })]);
  state.tools.path.open('192.0.2.1', 'udp')(60, 60 - lost);
  await net.run(askUntilCertain(state));
  state.close();
  return { sent: net.sent.length, bound: state.tools.path.upperBound(), settled: only(state) };
};

t.test('a clean path: nothing is sent', async (t) => {
  const { sent, settled } = await lateLoss(4, 0);
  t.equal(sent, 0);
  t.same(packetsOf(settled), 4);
});

t.test('the path loses more than was known: asked until that loss cannot explain the silence', async (t) => {
  const { sent, bound, settled } = await lateLoss(4, 12);
  t.ok(doubtOfSilence(4, bound) > DOUBT, 'too few were sent at first');
  t.ok(doubtOfSilence(packetsOf(settled), bound) <= DOUBT, 'enough are by now');
  t.ok(doubtOfSilence(packetsOf(settled) - 1, bound) > DOUBT, 'and not one more than that');
  t.equal(packetsOf(settled), 4 + sent, 'all are accounted for');
  t.equal(settled.sequences.length, new Set(settled.sequences).size, 'the far end is asked of each once');
});

t.test('a path on which no silence proves anything is left alone', async (t) => {
  t.equal((await lateLoss(4, 50)).sent, 0);
});

/** Silence of which the far end says that `seen` of its eight packets arrived, on a path that loses `lost` of sixty. */
const heardOf = async (seen: number, lost: number) => {
  const net = fakeNet();
  const sequences = [501, 502, 503, 504, 505, 506, 507, 508];
  const attempts = [{ outcome: 'silence', packets: 8, ...UNTIMED, opened: null }] as const;
  const state = await stateWith(net, [observed(STUN, attempts, { sequences, seen })]);
  state.tools.path.open('192.0.2.1', 'udp')(60, 60 - lost);
  const further = await net.run(askUntilCertain(state, { arrivedOnly: true }));
  state.close();
  return { further, sent: net.sent.length, settled: only(state) };
};

t.test('answers are dropped, and chance let too few questions arrive to prove it', async (t) => {
  const few = await heardOf(3, 12);
  t.ok(few.sent > 0, 'asked once more');
  t.same(few.further, [few.settled], 'and told, so that the far end can be asked what arrived of that');
  t.ok(few.settled.sequences.length > 8);
  t.same((await heardOf(7, 12)).sent, 0, 'enough arrived');
  t.same((await heardOf(3, 50)).sent, 0, 'a path on which nothing would prove it');
  t.same((await heardOf(0, 12)).sent, 0, 'nothing arrived: what was sent is the evidence');
});

/** A far end that can be asked over STUN's port. */
const answering = (): FakeNet => {
  const reflector = pureReflector();
  return fakeNet({
    udp: ({ bytes, localPort }) => {
      const answer = reflector.datagram(bytes, { address: '192.0.2.7', port: localPort, localPort: 3478 });
      return answer ? [{ afterMs: 1, bytes: answer }] : [];
    },
  });
};
const silentAt = (port: number, sequences: readonly number[]): Observation =>
  observed(check(`rtp-echo/udp/${port}`), silence(sequences.length), { sequences });

t.test('what the far end has forgotten takes the word for nothing else with it', async (t) => {
  const net = answering();
  // A reflector remembers the last 131,072 numbers of a session.
  const state = await stateWith(net, [silentAt(16_384, [500]), silentAt(16_386, [139_990, 139_991])]);
  for (let count = 0; count < 140_000; count += 1) state.tools.nextSequence();
  await net.run(fetchReceipts(state));
  state.close();
  t.same(
    state.observations.inOrder().map(({ seen }) => seen),
    [null, null],
    'it remembers nothing of a session that begins with this question: never is more than it can say',
  );
});

t.test('receipts are fetched again for those alone that were asked further', async (t) => {
  const net = answering();
  const state = await stateWith(net, [silentAt(16_384, [501]), silentAt(16_386, [502])]);
  const [first] = state.observations.at(ADDRESS);
  await net.run(fetchReceipts(state, { of: first ? [first] : [] }));
  const after = net.sent.length;
  t.same(
    state.observations.inOrder().map(({ seen }) => seen),
    [0, null],
  );
  await net.run(fetchReceipts(state, { of: [] }));
  t.equal(net.sent.length, after, 'and of nobody where nothing was asked further');
  state.close();
});

/** A slow answer among quick ones: asked once more, so that a moment of a busy host is not taken for the path. */
import t from 'tap';
import type { Observation } from '../../src/model/observation.js';
import { recheckSlow } from '../../src/run/phases/recheck-slow.js';
import { classify } from '../../src/verdict/classify.js';
import { pureReflector } from '../support/pure-reflector.js';
import { check, circumstances, observed, proven, reflector, silence } from '../verdict/support/facts.js';
import { fakeNet } from './support/fake-net.js';
import { stateWith } from './support/state.js';

/** What is asked once more, of answers with these shortest round trips, where the path takes `pathMs` by then. */
const looked = async (roundTrips: Readonly<Record<string, number | null>>, pathMs: number, answers = 3) => {
  const farEnd = pureReflector();
  const net = fakeNet({
    udp: ({ bytes, localPort, peer }) => {
      const answer = farEnd.datagram(bytes, { address: '192.0.2.7', port: localPort, localPort: peer.port });
      return answer ? [{ afterMs: pathMs, bytes: answer }] : [];
    },
  });
  const before = Object.entries(roundTrips).map(([name, rttMs]): Observation => {
    const of = check(name);
    return observed(
      of,
      rttMs === null ? silence(4) : Array.from({ length: answers }, () => proven({ rttMs }, { arrivalPort: of.port })),
    );
  });
  const state = await stateWith(net, before);
  await net.run(recheckSlow(state));
  state.close();
  const after = state.observations.inOrder();
  return { before, after, sent: net.sent.length };
};
const verdictOf = (one: Observation | undefined): string => {
  const { verdict, reason } = classify(one as Observation, reflector(), circumstances());
  return `${verdict}/${reason}`;
};

t.test('a moment is not the path', async (t) => {
  const { before, after } = await looked({ 'stun-binding/udp/3478': 3, 'stun-binding/udp/3479': 400 }, 5);
  t.equal(verdictOf(before[1]), 'degraded/latency');
  t.equal(verdictOf(after[1]), 'pass/answered', 'quick when asked again');
  t.equal(after[1]?.attempts.length, 3 + 3, 'what it was first is told as well');
  t.equal(after[1]?.sequences.length, 3);
  t.equal(after[0], before[0], 'what was quick is left alone');
});

t.test('what is slow again is slow', async (t) => {
  const { after } = await looked({ 'stun-binding/udp/3478': 3, 'stun-binding/udp/3479': 400 }, 380);
  t.equal(verdictOf(after[1]), 'degraded/latency');
});

t.test('nothing is asked where all are alike, where nothing answered, or of whom asked for no more', async (t) => {
  t.equal((await looked({ 'stun-binding/udp/3478': 400, 'stun-binding/udp/3479': 410 }, 5)).sent, 0);
  t.equal((await looked({ 'stun-binding/udp/3478': 3, 'stun-binding/udp/3479': null }, 5)).sent, 0);
  t.equal((await looked({ 'stun-binding/udp/3478': 3, 'stun-binding/udp/3479': 400 }, 5, 1)).sent, 0);
});

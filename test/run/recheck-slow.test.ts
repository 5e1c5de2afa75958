/** A slow answer among quick ones: asked once more, so that a moment of a busy host is not taken for the path. */
import t from 'tap';
import type { PlannedRange } from '../../src/model/check.js';
import type { Observation } from '../../src/model/observation.js';
import { recheckSlow } from '../../src/run/phases/recheck-slow.js';
import { classify } from '../../src/verdict/classify.js';
import { classifyRange } from '../../src/verdict/ranges.js';
import { pureReflector } from '../support/pure-reflector.js';
import { check, circumstances, observed, proven, reflector, silence } from '../verdict/support/facts.js';
import { fakeNet } from './support/fake-net.js';
import { planned, stateWith } from './support/state.js';

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

/** What is told of a range whose every port answered after `rangeMs`, where the first packet of a flow takes `firstMs` and later ones `laterMs`. */
const lookedAtRange = async (rangeMs: number, firstMs: number, laterMs: number) => {
  const farEnd = pureReflector();
  const begun = new Set<number>();
  const net = fakeNet({
    udp: ({ bytes, localPort, peer }) => {
      const answer = farEnd.datagram(bytes, { address: '192.0.2.7', port: localPort, localPort: peer.port });
      const afterMs = begun.has(localPort) ? laterMs : firstMs;
      begun.add(localPort);
      return answer ? [{ afterMs, bytes: answer }] : [];
    },
  });
  const names = Array.from({ length: 20 }, (_, index) => `rtp-echo/udp/${16_384 + 2 * index}`);
  const sample = names.map(planned);
  const [template = planned('rtp-echo/udp/16384')] = sample;
  const range: PlannedRange = {
    ...{ id: 'rtp-echo/udp/16384-16422', probe: 'rtp-echo', transport: 'udp', address: template.address },
    ...{ from: 16_384, to: 16_422, step: 2, requiredBy: [], sample, template, idSuffix: '' },
  };
  const ofRange = names.map((name) => {
    const of = check(name, { isOfRange: true });
    return observed(of, [proven({ rttMs: rangeMs, sourcePort: 30_000 }, { arrivalPort: of.port })]);
  });
  const quick = check('stun-binding/udp/3478');
  const state = await stateWith(net, [
    observed(quick, [proven({ rttMs: 3 }, { arrivalPort: 3478 }), proven({ rttMs: 3 }, { arrivalPort: 3478 })]),
    ...ofRange,
  ]);
  await net.run(recheckSlow({ ...state, input: { ...state.input, ranges: [range] } }));
  state.close();
  const ports = state.observations
    .inOrder()
    .filter((one) => one.check.isOfRange)
    .map((one) => classify(one, reflector(), circumstances()));
  const { worst } = classifyRange(range, ports, circumstances().thresholds);
  // What was asked without numbers must not count among the answers that the far end is asked about.
  const numbered = state.observations
    .inOrder()
    .filter((one) => one.check.isOfRange && one.attempts.length === 1).length;
  const says = `${worst.verdict}/${worst.reason}`;
  return { says, sent: net.sent.length, open: net.openSockets(), numbered };
};

t.test('a range is as slow as the later packets of a flow there', async (t) => {
  t.same(
    await lookedAtRange(705, 705, 5),
    { says: 'pass/answered', sent: 25, open: 0, numbered: 20 },
    'the first is held',
  );
  t.same(await lookedAtRange(405, 405, 405), { says: 'degraded/latency', sent: 25, open: 0, numbered: 20 });
  t.same(
    await lookedAtRange(5, 5, 5),
    { says: 'pass/answered', sent: 0, open: 0, numbered: 20 },
    'nothing is asked of a quick one',
  );
});

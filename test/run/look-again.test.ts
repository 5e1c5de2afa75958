/** What passed is asked once more at the end: what was shut meanwhile, by a guard or by a new rule, is no pass. */
import t from 'tap';
import type { PlannedRange } from '../../src/model/check.js';
import type { Observation } from '../../src/model/observation.js';
import { lookAgain } from '../../src/run/phases/look-again.js';
import { classify } from '../../src/verdict/classify.js';
import { pureReflector } from '../support/pure-reflector.js';
import { check, circumstances, observed, proven, reflector, silence } from '../verdict/support/facts.js';
import { fakeNet, type SentPacket } from './support/fake-net.js';
import { planned, stateWith } from './support/state.js';

const SIP = 'sip-options/udp/5060';
const STUN = 'stun-binding/udp/3478';

/** Looks again at what had passed, where packets that `isLost` names stay unanswered. */
const looked = async (
  names: readonly string[],
  isLost: (packet: SentPacket) => boolean,
  silent: readonly string[] = [],
) => {
  const farEnd = pureReflector();
  const net = fakeNet({
    udp: (packet) => {
      const { bytes, localPort, peer } = packet;
      const answer = farEnd.datagram(bytes, { address: '192.0.2.7', port: localPort, localPort: peer.port });
      return answer && !isLost(packet) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const before = [
    ...names.map((name): Observation => {
      const of = check(name, { isOfRange: name.startsWith('rtp-echo') });
      return observed(
        of,
        Array.from({ length: 3 }, () => proven({}, { arrivalPort: of.port })),
      );
    }),
    ...silent.map((name) => observed(check(name), silence(4))),
  ];
  const state = await stateWith(net, before);
  const account = state.tools.path.open('198.51.100.10', 'udp');
  account(300, 300);
  const sample = before.map((one) => planned(one.check.id)).filter(({ probe }) => probe === 'rtp-echo');
  const [first] = sample;
  const range: PlannedRange | undefined = first && {
    ...{ id: 'rtp-echo/udp/16384-16482', probe: first.probe, transport: 'udp', address: first.address },
    ...{ from: 16384, to: 16482, step: 2, requiredBy: [], sample, template: first, idSuffix: '' },
  };
  await net.run(lookAgain({ ...state, input: { ...state.input, ranges: range ? [range] : [] } }));
  state.close();
  return { after: state.observations.inOrder(), net, ways: state.tools.ways };
};

const verdicts = (after: readonly Observation[]): readonly string[] =>
  after.map((one) => {
    const { verdict, reason } = classify(one, reflector(), circumstances());
    return `${one.check.port} ${verdict}/${reason}`;
  });

t.test('where all is as it was, one question each, and nothing is changed', async (t) => {
  const { after, net } = await looked([SIP, STUN], () => false, ['sip-options/udp/5070']);
  t.same(net.sent.map(({ peer }) => peer.port).sort(), [3478, 5060], 'what never passed is not asked again');
  t.same(verdicts(after).slice(0, 2), ['5060 pass/answered', '3478 pass/answered']);
  t.ok(after.every(({ atLast }) => atLast === undefined));
  t.equal(net.openSockets(), 0);
});

t.test('a port that was shut meanwhile', async (t) => {
  const { after, net, ways } = await looked([SIP, STUN], ({ peer }) => peer.port === 5060);
  t.same(verdicts(after), ['5060 unknown/cut-off', '3478 pass/answered']);
  t.equal(after[0]?.attempts.length, 3, 'what had passed stays told');
  const asked = net.sent.filter(({ peer }) => peer.port === 5060);
  t.ok(asked.length >= 4, 'as often as any silence that means something');
  t.ok(new Set(asked.map(({ localPort }) => localPort)).size >= 3, 'from several source ports');
  const order = ways.inOrder([check(SIP), check(STUN)]).map(({ port }) => port);
  t.same(order, [3478, 5060], 'and what the far end is asked from then on takes another way');
});

t.test('one lost question is no shut port', async (t) => {
  const lost = new Set<number>();
  const { after } = await looked([SIP, STUN], ({ peer }) => {
    const isFirst = !lost.has(peer.port);
    lost.add(peer.port);
    return isFirst;
  });
  t.same(verdicts(after), ['5060 pass/answered', '3478 pass/answered']);
});

t.test('of a range its ends and its middle are asked', async (t) => {
  const ports = [16384, 16390, 16400, 16410, 16420, 16430, 16482];
  const { after, net } = await looked(
    ports.map((port) => `rtp-echo/udp/${port}`),
    ({ peer }) => peer.port > 16450,
  );
  t.same([...new Set(net.sent.map(({ peer }) => peer.port))].sort(), [16384, 16410, 16482]);
  t.same(
    after.flatMap(({ atLast, check: { port } }) => (atLast ? [port] : [])),
    [16482],
  );
});

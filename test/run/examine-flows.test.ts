/** Flows to a known port, in networks that kill some of them or limit all of them: what each is told as, and how that is found out. */
import t from 'tap';
import { examineFlows } from '../../src/run/phases/examine-flows.js';
import { watchLine } from '../../src/run/phases/watch-line.js';
import { flowsDie } from '../../src/verdict/flows.js';
import { pureReflector } from '../support/pure-reflector.js';
import { type FakeNet, fakeNet, LOCAL_ADDRESS, type SentPacket } from './support/fake-net.js';
import { planned, stateWith } from './support/state.js';

const SIP = planned('sip-options/udp/5060');
const STUN = planned('stun-binding/udp/3478');

/** What happens to one packet after the other; true if it passes. */
type Rule = (packet: SentPacket) => boolean;

interface Examined {
  readonly facts: ReturnType<Awaited<ReturnType<typeof stateWith>>['farEnds']['all']>[number]['facts'];
  /** What went out while the line was not watched. */
  readonly slowly: readonly SentPacket[];
  readonly net: FakeNet;
}

const examined = async (passes: Rule): Promise<Examined> => {
  const farEnd = pureReflector();
  const slowly: SentPacket[] = [];
  let isPaused = (): boolean => false;
  const net = fakeNet({
    udp: (packet) => {
      if (isPaused()) slowly.push(packet);
      const { bytes, localPort, peer } = packet;
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return passes(packet) && answer ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const state = await stateWith(net, [], { questions: [SIP, STUN] });
  isPaused = () => state.tools.watch.isPaused;
  const done = new AbortController();
  const watching = watchLine(state, done.signal);
  await net.run(Promise.all([SIP, STUN].map((one) => state.ask(one))));
  await net.run(examineFlows(state));
  done.abort(new Error('done'));
  await net.run(watching);
  if (isPaused()) throw new Error('the line is not watched any more');
  state.close();
  const [known] = state.farEnds.all();
  if (!known) throw new Error('no far end');
  return { facts: known.facts, slowly, net };
};

/** Every second source port leaves over a dead link. */
const deadLink: Rule = ({ localPort }) => localPort % 2 === 0;

/** So many packets a second, after the first `burst`; what comes beyond is dropped. */
const atMost = (perSecond: number, burst: number): Rule => {
  let [tokens, atLastMs] = [burst, 0];
  return ({ atMs }) => {
    tokens = Math.min(burst, tokens + ((atMs - atLastMs) * perSecond) / 1000);
    atLastMs = atMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
};

t.test('nothing lost, nothing examined', async (t) => {
  const { facts, slowly, net } = await examined(() => true);
  t.same([facts.flows, facts.limit, slowly], [null, null, []]);
  t.equal(
    new Set(net.sent.map(({ localPort }) => localPort)).size,
    3,
    'no flow but those of the questions and of the watch',
  );
});

t.test('flows that die on a dead link stay dead however slowly they are asked', async (t) => {
  const { facts, slowly, net } = await examined(deadLink);
  t.equal(flowsDie(facts.flows), true);
  t.equal(facts.limit, null, 'and nothing limits the path');
  const before = new Set(net.sent.filter((one) => !slowly.includes(one)).map(({ localPort }) => localPort));
  t.ok(slowly.length > 0);
  t.ok(
    slowly.every(({ localPort }) => before.has(localPort) && localPort % 2 === 1),
    'it was the dead ones that were asked once more, over their own source ports',
  );
  t.equal(net.openSockets(), 0);
});

t.test('flows that pass once they are asked slowly met a limit', async (t) => {
  const { facts, slowly, net } = await examined(atMost(4, 6));
  t.match(facts.limit, { kind: 'rate', packetsPerSecond: 4 });
  t.equal(facts.flows, null, 'so that no flow is said to die');
  const [first] = slowly;
  const last = net.sent.findLast((one) => one.index < (first?.index ?? 0));
  t.ok((first?.atMs ?? 0) - (last?.atMs ?? 0) >= 1000, 'nothing is sent for a second before');
  t.equal(net.openSockets(), 0);
});

t.test('dead flows behind a limit stay dead, whatever the limit took besides', async (t) => {
  const limit = atMost(3, 6);
  const { facts } = await examined((packet) => limit(packet) && deadLink(packet));
  t.equal(facts.limit, null);
  t.ok((facts.flows?.dead ?? 0) > 0, 'so that silence from few source ports blames no port');
});

t.test('flows that died while the line was away are asked anew', async (t) => {
  let beganAtMs = Number.POSITIVE_INFINITY;
  const seen = new Set<number>();
  const { facts } = await examined((packet) => {
    seen.add(packet.localPort);
    // More source ports than the questions and the watch use: the examination has begun, and the line goes away for a time.
    if (seen.size > 12) beganAtMs = Math.min(beganAtMs, packet.atMs);
    const isAway = packet.atMs >= beganAtMs && packet.atMs < beganAtMs + 3000;
    return !isAway && deadLink(packet);
  });
  t.ok((facts.flows?.asked ?? 0) >= 12, `${facts.flows?.asked} of 12`);
  t.ok((facts.flows?.dead ?? 0) > 0);
});

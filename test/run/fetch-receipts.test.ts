/** What the far end says of each packet reaches the verdict: seen and not answered is its own doing, and no firewall's. */
import t from 'tap';
import { fetchReceipts } from '../../src/run/phases/fetch-receipts.js';
import { study } from '../../src/run/studies/sip.js';
import { classify } from '../../src/verdict/classify.js';
import { judgeSip } from '../../src/verdict/studies/sip.js';
import { readTag } from '../../src/wire/tag.js';
import { pureReflector } from '../support/pure-reflector.js';
import { ADDRESS, circumstances, reflector } from '../verdict/support/facts.js';
import { fakeNet, LOCAL_ADDRESS } from './support/fake-net.js';
import { planned, stateWith } from './support/state.js';

const SIP = planned('sip-options/udp/5060');
const STUN = planned('stun-binding/udp/3478');

interface Way {
  /** What arrives of a message to SIP's port; null where nothing does. */
  readonly there: (text: string) => string | null;
  /** Whether the answers come back. */
  readonly back: boolean;
}

const stateOf = async ({ there, back }: Way, isLost: (bytes: Uint8Array, atMs: number) => boolean = () => false) => {
  const farEnd = pureReflector();
  const net = fakeNet({
    udp: ({ bytes, localPort, peer, atMs }) => {
      if (isLost(bytes, atMs)) return [];
      const isSip = peer.port === SIP.port;
      const text = isSip ? there(Buffer.from(bytes).toString('latin1')) : null;
      if (isSip && text === null) return [];
      const arrived = text === null ? bytes : Buffer.from(text, 'latin1');
      const answer = farEnd.datagram(arrived, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && (back || !isSip) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const state = await stateWith(net, [], { questions: [SIP, STUN] });
  state.tools.path.open(ADDRESS, 'udp')(300, 300);
  return { state, net };
};

const asked = async (way: Way) => {
  const { state, net } = await stateOf(way);
  // One after the other, so that the far end is known to be alive when SIP is asked.
  await net.run(state.ask(STUN).then(() => state.ask(SIP)));
  await net.run(fetchReceipts(state));
  state.close();
  const observation = state.observations.get(SIP.key);
  if (!observation) throw new Error('SIP was not asked');
  const { seen, answered = null, unanswered = {} } = observation;
  const { verdict, reason, sent } = classify(observation, reflector(), circumstances());
  return { finding: `${verdict}/${reason}`, sent, seen, answered, unanswered, sockets: net.openSockets() };
};

/** Passes on what no proxy can do without, and the proof. */
const barest = (text: string): string =>
  text
    .split('\r\n')
    .filter((line, index) => index === 0 || line === '' || /^(Via|From|To|Call-ID|CSeq|X-Callpath)/i.test(line))
    .join('\r\n');

t.test('where SIP was seen and not answered, no size and no method is blamed without the far end’s word', async (t) => {
  for (const tells of [true, false]) {
    const { state, net } = await stateOf({ there: barest, back: true }, (bytes, atMs) => {
      const read = readTag(bytes);
      return !tells && atMs > 20_000 && read.ok && read.value.tag.type === 'receiptsRequest';
    });
    await net.run(state.ask(STUN).then(() => state.ask(SIP)));
    await net.run(fetchReceipts(state));
    net.at(20_001, () => undefined);
    await net.run(net.sleep(20_001 - net.now(), state.signal));
    const observations = state.observations.at(ADDRESS);
    t.match(observations.find(({ check }) => check.key === SIP.key)?.unanswered, { 'too-large': Number });
    const farEnd = { address: ADDRESS, passing: [STUN], signalling: [], ways: [STUN], identity: null };
    const facts = await net.run(study.ask([{ ...farEnd, observations, flows: null, connections: null }], state.tools));
    state.close();
    const { checks } = judgeSip(facts, 0.01);
    t.ok(checks.length > 0);
    t.same(
      checks.filter(({ finding }) => finding.verdict === 'blocked').map(({ probe, finding }) => [probe, finding]),
      [],
      tells ? 'it tells' : 'it does not tell',
    );
  }
});

t.test('four numbers, from the wire to the verdict', async (t) => {
  const same = (text: string): string => text;
  const open = await asked({ there: same, back: true });
  t.match(open, { finding: 'pass/answered', seen: open.sent, answered: open.sent, sockets: 0 });
  const outbound = await asked({ there: () => null, back: true });
  t.match(outbound, { finding: 'blocked/dropped-outbound', seen: 0, answered: 0 });
  const inbound = await asked({ there: same, back: false });
  t.match(inbound, { finding: 'blocked/dropped-inbound', seen: inbound.sent, answered: inbound.sent });
  const left = await asked({ there: barest, back: true });
  t.match(left, { finding: 'unknown/limited', seen: left.sent, answered: 0, unanswered: { 'too-large': left.sent } });
});

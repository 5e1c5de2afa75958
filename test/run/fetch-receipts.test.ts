/** What the far end says of each packet reaches the verdict: seen and not answered is its own doing, and no firewall's. */
import t from 'tap';
import { fetchReceipts } from '../../src/run/phases/fetch-receipts.js';
import { classify } from '../../src/verdict/classify.js';
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

const asked = async ({ there, back }: Way) => {
  const farEnd = pureReflector();
  const net = fakeNet({
    udp: ({ bytes, localPort, peer }) => {
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

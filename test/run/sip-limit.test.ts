/** A message that is dropped, a limit on messages, and a host that is shut out: told apart by asking after a pause. */
import t from 'tap';
import { passed } from '../../src/run/observations.js';
import { findSipLimit } from '../../src/run/studies/sip-limit.js';
import { sessionOf } from '../reflector/support.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { check, observed, proven, silence } from '../verdict/support/facts.js';
import { toolsOf } from './support/context.js';
import { fakeNet, LOCAL_ADDRESS } from './support/fake-net.js';

const KNOWN = check('udp-echo/udp/5060');

/** What is found where the silent message passes as `message` says, and what is known to pass as `control` says. */
const found = async (message: readonly boolean[], control: (atMs: number) => boolean, isAway = false) => {
  const farEnd = pureReflector();
  const askedAtMs: number[] = [];
  const net = fakeNet({
    udp: ({ bytes, localPort, peer, atMs }) => {
      askedAtMs.push(atMs);
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && control(atMs) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const usual = toolsOf(net, sessionOf(1, TOKEN));
  const tools = isAway ? { ...usual, timeline: { ...usual.timeline, isSilent: () => true } } : usual;
  let asked = 0;
  const ask = async () => {
    const isAnswered = message[asked] ?? false;
    asked += 1;
    return observed(KNOWN, isAnswered ? [proven({}, { arrivalPort: 5060 })] : silence(1));
  };
  return { limit: await net.run(findSipLimit(ask, KNOWN, tools)), asked, askedAtMs };
};

t.test('what is silent after a pause as well, beside what passes: the message itself', async (t) => {
  const { limit, asked, askedAtMs } = await found([false], () => true);
  t.equal(limit, null);
  t.equal(asked, 1);
  t.ok((askedAtMs[0] ?? 0) >= 6000, 'each after a pause as long as a flood limit needs');
});

t.test('what passes after a pause was too much before', async (t) => {
  const { limit, askedAtMs } = await found([true], () => true);
  t.same(limit, { kind: 'rate', port: 5060 });
  t.same(askedAtMs, [], 'and nothing more is asked');
});

t.test('what is known to pass is silent, and passes once after a longer pause', async (t) => {
  const { limit } = await found([false], (atMs) => atMs > 9000);
  t.same(limit, { kind: 'rate', port: 5060 });
});

t.test('where nothing passes over UDP at all no limit of SIP is told', async (t) => {
  const { limit, askedAtMs } = await found([false], () => false, true);
  t.equal(limit, null);
  t.same(askedAtMs, [], 'and nothing more is asked');
});

t.test('nothing passes any more', async (t) => {
  const { limit } = await found([false], () => false);
  t.same(limit, { kind: 'cut-off', port: 5060 });
});

t.test('the answers of these tests are what the engine takes for answers', async (t) => {
  t.equal(passed(observed(KNOWN, [proven({}, { arrivalPort: 5060 })])), true);
  t.equal(passed(observed(KNOWN, silence(1))), false);
});

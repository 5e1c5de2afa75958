/** The ways over which a far end is asked for its word. */
import t from 'tap';
import { createWays } from '../../src/run/ask/ways.js';
import { check } from '../verdict/support/facts.js';

const SIP = check('sip-options/udp/5060');
const STUN = check('stun-binding/udp/3478');
const CONTROL = check('tls-handshake/tls/443');

const names = (all: readonly { readonly id: string }[]): readonly string[] => all.map(({ id }) => id);

t.test('each port once, and what has become deaf last', async (t) => {
  const ways = createWays();
  t.same(names(ways.inOrder([SIP, STUN, SIP, CONTROL])), names([SIP, STUN, CONTROL]));
  ways.deaf(SIP);
  t.same(names(ways.inOrder([SIP, STUN, CONTROL])), names([STUN, CONTROL, SIP]));
  t.same(names(ways.inOrder([SIP])), names([SIP]), 'a deaf one is better than none');
  const elsewhere = { ...SIP, address: '198.51.100.11' };
  t.same(names(ways.inOrder([elsewhere, STUN])), names([elsewhere, STUN]), 'another address has ears of its own');
});

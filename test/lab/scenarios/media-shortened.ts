import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about:
    'Something cuts UDP to the ports of media to 40 octets, as a gateway that repacks calls does; the far end sees it all.',
  topology: 'wired',
  parts: [wire({ cut: { from: 16384, to: 16483, bytes: 40 } }), reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/16384-16483': 'rewritten' },
  // Another host behind the same address may send there as well: whose it is cannot be told.
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  says: [/cannot parse/],
  saysNot: [/[Oo]pen UDP|firewall or router blocks/],
  notVerified: 'a hand-made question of media that is cut loses what its answer is known by',
} satisfies Scenario;

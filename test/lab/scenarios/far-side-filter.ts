import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'Of two far ends one lets no media in: what passes to the other is no fault of the branch.',
  // In front of that far end, or in the branch and about its address: from inside the two look alike.
  rules: forward(`ip daddr ${ADDRESS.second} udp dport 16384-32767 drop`),
  parts: [reflectorOnTwo()],
  args: [...SMALL_MEDIA_RANGE, '--reflector', ADDRESS.target, '--reflector', ADDRESS.second],
  really: { [`udp/16384-32767#${ADDRESS.second}`]: 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'far-side-filter' },
} satisfies Scenario;

import { coturn } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'coturn as a third party, and what it serves is dropped: its silence proves nothing.',
  rules: forward('udp dport 3478 drop'),
  parts: [coturn()],
  profiles: ['business-sip'],
  token: false,
  really: { '*': 'closed', 'stun-binding/udp/3478': 'dropped-outbound' },
  services: { 'business-sip': 'unknown' },
} satisfies Scenario;

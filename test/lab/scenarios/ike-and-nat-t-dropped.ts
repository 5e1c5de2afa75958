import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 500 and 4500 are both dropped; the rest passes.',
  rules: forward('udp dport { 500, 4500 } drop'),
  parts: [reflector()],
  profiles: ['wifi-calling-t-mobile'],
  really: { 'udp/500': 'dropped-outbound', 'udp/4500': 'dropped-outbound' },
  services: { 'wifi-calling-t-mobile': 'blocked' },
  symptoms: { 'wifi-calling-t-mobile': ['wifi-calling-unavailable'] },
  cause: { 'wifi-calling-t-mobile': 'port-filter' },
} satisfies Scenario;

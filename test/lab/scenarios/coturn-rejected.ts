import { coturn } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'coturn as a third party, and what it serves is rejected: the refusal may be its own.',
  rules: forward('udp dport 3478 reject with icmp port-unreachable'),
  parts: [coturn()],
  profiles: ['business-sip'],
  token: false,
  really: { '*': 'closed', 'stun-binding/udp/3478': 'rejected' },
  services: { 'business-sip': 'unknown' },
} satisfies Scenario;

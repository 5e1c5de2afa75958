import { coturn } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'coturn as a third party behind a firewall that blocks nothing.',
  parts: [coturn()],
  profiles: ['business-sip'],
  token: false,
  really: { '*': 'closed', 'stun-binding/udp/3478': 'open' },
  services: { 'business-sip': 'unknown' },
} satisfies Scenario;

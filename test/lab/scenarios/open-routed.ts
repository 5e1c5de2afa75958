import type { Scenario } from '../scenario.js';

export default {
  about: 'A firewall that routes without NAT and blocks nothing.',
  topology: 'routed',
  profiles: ['business-sip', 'wifi-calling-t-mobile', 'facetime'],
  cause: { 'business-sip': 'none' },
} satisfies Scenario;

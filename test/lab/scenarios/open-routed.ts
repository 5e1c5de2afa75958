import type { Scenario } from '../scenario.js';

export default {
  about: 'A firewall that routes without NAT and blocks nothing.',
  topology: 'routed',
  profiles: ['business-sip', 'wifi-calling-t-mobile', 'facetime'],
  cause: { 'business-sip': 'none' },
  report: { nat: { mapping: 'none', filtering: 'unknown', portPreservation: true, layers: 0 } },
} satisfies Scenario;

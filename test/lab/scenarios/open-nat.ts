import type { Scenario } from '../scenario.js';

export default {
  about: 'An ordinary NAT router that blocks nothing.',
  audio: true,
  profiles: ['business-sip', 'wifi-calling-t-mobile', 'facetime'],
  cause: { 'business-sip': 'none' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Every TCP port is dropped; UDP passes.',
  rules: forward('meta l4proto tcp drop'),
  profiles: ['business-sip', 'wifi-calling-t-mobile', 'facetime'],
  really: { 'tcp/*': 'dropped-outbound', 'tls/*': 'dropped-outbound' },
  services: { 'business-sip': 'degraded', 'wifi-calling-t-mobile': 'impaired', facetime: 'blocked' },
  symptoms: {
    'business-sip': ['calls-not-private'],
    facetime: ['facetime-cannot-connect'],
    'wifi-calling-t-mobile': ['activation-fails'],
  },
  cause: { 'business-sip': 'port-filter', 'wifi-calling-t-mobile': 'port-filter', facetime: 'port-filter' },
} satisfies Scenario;

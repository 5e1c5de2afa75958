import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Only TCP 80 and 443 pass: a guest network.',
  rules: forward('tcp dport { 80, 443 } accept', 'ct state { established, related } accept', 'drop'),
  profiles: ['business-sip', 'wifi-calling-t-mobile', 'facetime'],
  really: { '*': 'dropped-outbound', 'tcp/80': 'open', 'tls/443': 'open' },
  services: { 'business-sip': 'blocked', 'wifi-calling-t-mobile': 'blocked', facetime: 'impaired' },
  symptoms: {
    'business-sip': ['cannot-register'],
    'wifi-calling-t-mobile': ['wifi-calling-unavailable'],
    facetime: ['no-audio'],
  },
  cause: { 'business-sip': 'port-filter', 'wifi-calling-t-mobile': 'port-filter', facetime: 'port-filter' },
} satisfies Scenario;

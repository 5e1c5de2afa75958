import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Eleven ports of a media range are dropped; the exhaustive sweep finds exactly these.',
  rules: forward('udp dport 16600-16610 drop'),
  args: ['--rtp-range', '16384-17407', '--exhaustive'],
  really: { 'udp/16600-16610': 'dropped-outbound' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['some-calls-silent'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

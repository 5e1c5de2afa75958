import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The lower end of the media range is dropped.',
  rules: forward('udp dport 16384-18999 drop'),
  really: { 'udp/16384-18999': 'dropped-outbound' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['some-calls-silent'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

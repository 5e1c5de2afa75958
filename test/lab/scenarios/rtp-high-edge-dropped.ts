import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Media passes up to port 29999 only, as behind a rule with a mistyped end.',
  rules: forward('udp dport 30000-32767 drop'),
  really: { 'udp/30000-32767': 'dropped-outbound' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['some-calls-silent'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

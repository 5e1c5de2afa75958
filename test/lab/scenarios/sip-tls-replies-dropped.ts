import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The answers of SIP over TLS are dropped on the way in.',
  rules: forward('iifname "wan0" tcp sport 5061 drop'),
  really: { 'tls/5061': 'dropped-inbound' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'SIP over TLS is dropped on its way out; UDP and TCP pass.',
  rules: forward('tcp dport 5061 drop'),
  really: { 'tls/5061': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

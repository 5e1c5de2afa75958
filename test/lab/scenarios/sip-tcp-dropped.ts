import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'SIP over TCP is dropped on its way out; UDP and TLS pass.',
  rules: forward('tcp dport 5060 drop'),
  really: { 'tcp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

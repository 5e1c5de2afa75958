import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'SIP over TCP and TLS is rejected with a TCP reset; UDP passes.',
  rules: forward('tcp dport { 5060, 5061 } reject with tcp reset'),
  really: { 'tcp/5060': 'rejected', 'tls/5061': 'rejected' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

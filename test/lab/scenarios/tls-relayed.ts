import { reflector, tlsRelay } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'An inspecting proxy ends TLS on 443 and 5061 and passes everything on: all works, and all is read.',
  rules: intercept('tcp dport 443 redirect to :15443', 'tcp dport 5061 redirect to :15061'),
  parts: [reflector(), tlsRelay(15_443, 443), tlsRelay(15_061, 5061)],
  profiles: ['business-sip', 'facetime'],
  really: { 'tls/443': 'intercepted', 'tls/5061': 'intercepted' },
  services: { 'business-sip': 'degraded', facetime: 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'], facetime: ['calls-not-private'] },
  cause: { 'business-sip': 'interception', facetime: 'interception' },
} satisfies Scenario;

import { reflector, tlsImpostor } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'TLS on 5061 is ended by somebody else, who then says nothing.',
  rules: intercept('tcp dport 5061 redirect to :15061'),
  parts: [reflector(), tlsImpostor(15_061)],
  really: { 'tls/5061': 'intercepted' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'] },
  cause: { 'business-sip': 'interception' },
} satisfies Scenario;

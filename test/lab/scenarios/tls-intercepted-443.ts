import { reflector, tlsImpostor } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'TLS on 443 is ended by somebody else, who then says nothing.',
  rules: intercept('tcp dport 443 redirect to :15061'),
  parts: [reflector(), tlsImpostor(15_061)],
  profiles: ['business-sip', 'facetime'],
  really: { 'tls/443': 'intercepted' },
  services: { facetime: 'degraded' },
  symptoms: { facetime: ['calls-not-private'] },
  cause: { facetime: 'interception' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about:
    'Only TCP 80 and 443 pass, and no check of the profile uses them: the control channel is what shows that the target lives.',
  rules: forward('tcp dport { 80, 443 } accept', 'ct state { established, related } accept', 'drop'),
  really: { '*': 'dropped-outbound', 'tcp/80': 'open', 'tls/443': 'open' },
  services: { 'business-sip': 'blocked' },
  symptoms: { 'business-sip': ['cannot-register'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

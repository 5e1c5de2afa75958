import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'TCP 443 is dropped: the reflector has to be heard over another way, and nothing else is harmed.',
  rules: forward('tcp dport 443 drop'),
  really: { 'tls/443': 'dropped-outbound' },
  cause: { 'business-sip': 'none' },
} satisfies Scenario;

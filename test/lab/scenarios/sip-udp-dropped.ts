import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'SIP over UDP is dropped on its way out; TCP and TLS pass.',
  rules: forward('udp dport 5060 drop'),
  really: { 'udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Requests of SIP over UDP go out; their answers are dropped on the way in.',
  rules: forward('iifname "wan0" udp sport 5060 drop'),
  really: { 'udp/5060': 'dropped-inbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

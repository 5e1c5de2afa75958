import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The answers of SIP over TCP are dropped on the way in.',
  rules: forward('iifname "wan0" tcp sport 5060 drop'),
  really: { 'tcp/5060': 'dropped-inbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

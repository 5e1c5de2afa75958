import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection drops STUN by its magic cookie, on every port.',
  rules: forward('meta l4proto udp @th,96,32 0x2112a442 drop'),
  really: { 'stun-binding/udp/*': 'filtered' },
  profiles: ['business-sip', 'facetime'],
  services: { facetime: 'impaired' },
  symptoms: { 'business-sip': ['lost-inbound-calls'], facetime: ['no-audio'] },
  cause: { 'business-sip': 'stun-filter', facetime: 'inspection' },
} satisfies Scenario;

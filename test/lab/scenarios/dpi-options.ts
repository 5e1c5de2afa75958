import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection drops SIP OPTIONS over UDP; other bytes pass on port 5060.',
  // "OPTIONS " at the beginning of the UDP payload.
  rules: forward('udp dport 5060 @th,64,64 0x4f5054494f4e5320 drop'),
  really: { 'sip-options/udp/5060': 'filtered' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'inspection' },
} satisfies Scenario;

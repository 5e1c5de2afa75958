import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'One packet in twenty is lost in each direction, and SIP over UDP is dropped altogether.',
  rules: forward('udp dport 5060 drop', 'numgen random mod 100 < 5 drop'),
  really: { '*': 'lossy', 'udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': ['port-filter'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  repeat: 20,
  measure: [{ port: 16_384, packets: 500, packetsPerSecond: 500, lossRatio: [0.05, 0.16] }],
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'One packet in 20 is lost in each direction; nothing is blocked.',
  rules: forward('numgen random mod 100 < 5 drop'),
  really: { '*': 'lossy' },
  services: { 'business-sip': ['works', 'degraded'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  repeat: 20,
  measure: [{ port: 16_384, packets: 500, packetsPerSecond: 500, lossRatio: [0.05, 0.16] }],
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'One packet in 100 is lost in each direction; nothing is blocked.',
  rules: forward('numgen random mod 100 < 1 drop'),
  really: { '*': 'lossy' },
  services: { 'business-sip': ['works', 'degraded'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  repeat: 20,
  measure: [{ port: 16_384, packets: 500, packetsPerSecond: 500, lossRatio: [0.002, 0.05] }],
} satisfies Scenario;

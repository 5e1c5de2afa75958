import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'One packet in five is lost in each direction; nothing is blocked.',
  rules: forward('numgen random mod 100 < 20 drop'),
  really: { '*': 'lossy' },
  // So lossy a path may leave a connection unanswered; what it must not do is to accuse a port.
  expect: { '*': ['pass/answered', 'degraded/loss', 'degraded/latency', 'unknown/no-answer'] },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  repeat: 20,
  measure: [{ port: 16_384, packets: 500, packetsPerSecond: 500, lossRatio: [0.28, 0.44] }],
} satisfies Scenario;

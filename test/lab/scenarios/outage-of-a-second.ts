import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';
import outageHalfSecond from './outage-half-second.js';

export default {
  ...outageHalfSecond,
  about: 'From the 91st UDP packet on nothing passes for 1.2 s, either way.',
  rules: outage({ after: { packets: 90 }, seconds: 1.2 }),
  measure: [{ port: 16_384, packets: 350, packetsPerSecond: 100, lossRatio: [0.3, 0.36] }],
} satisfies Scenario;

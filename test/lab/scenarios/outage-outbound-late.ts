import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'Late in the run, after 140 UDP packets, nothing leaves for three seconds; then everything passes again.',
  rules: outage({ after: { packets: 140 }, seconds: 3, direction: 'outbound' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  outages: [{}],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 900, packetsPerSecond: 100, lossRatio: [0.31, 0.38] }],
} satisfies Scenario;

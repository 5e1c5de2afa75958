import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'From the 91st UDP packet on nothing passes for 1.2 s, either way.',
  rules: outage({ after: { packets: 90 }, seconds: 1.2 }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  saysNot: [/[Oo]verloaded|loses packets|Wi-Fi/],
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  repeat: 2,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 350, packetsPerSecond: 100, lossRatio: [0.3, 0.36] }],
} satisfies Scenario;

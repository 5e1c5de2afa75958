import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about:
    'From the 31st UDP packet on nothing passes for half a second, either way: too short for an outage that is told.',
  rules: outage({ after: { packets: 30 }, seconds: 0.5 }),
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
  measure: [{ port: 16_384, packets: 200, packetsPerSecond: 100, lossRatio: [0.2, 0.3] }],
} satisfies Scenario;

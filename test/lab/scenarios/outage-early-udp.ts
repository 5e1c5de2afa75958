import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'From the fifth UDP packet on no UDP passes for three seconds; TCP is not touched.',
  rules: outage({ after: { packets: 4 }, seconds: 3, what: 'udp' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  outages: [{}],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 600, packetsPerSecond: 100, lossRatio: [0.48, 0.54] }],
} satisfies Scenario;

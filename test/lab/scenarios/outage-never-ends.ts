import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'Two seconds into the run the line dies and does not come back.',
  rules: outage({ after: { seconds: 2 }, seconds: null }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['none', 'outage', 'cut-off'] },
  // After so many flows within two seconds a guard against scans would look the same; both are said.
  outages: 'perhaps',
  says: [/Outage|Cut off/],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 600, packetsPerSecond: 100, lossRatio: [0.64, 0.7] }],
} satisfies Scenario;

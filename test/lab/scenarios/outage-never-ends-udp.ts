import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'From the 41st UDP packet on no UDP passes any more; TCP does.',
  rules: outage({ after: { packets: 40 }, seconds: null, what: 'udp' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/*': 'away' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['none', 'outage', 'cut-off'] },
  // After so many flows within a second a guard against scans would look the same; both are said.
  outages: 'perhaps',
  says: [/Outage|Cut off/],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 100, packetsPerSecond: 100, lossRatio: [0.59, 0.61] }],
} satisfies Scenario;

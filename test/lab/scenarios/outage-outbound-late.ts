import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { Between, type Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'Four seconds into the run nothing leaves for three seconds; then everything passes again.',
  rules: outage({ after: { seconds: 4 }, seconds: 3, direction: 'outbound' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  outages: [{ fromMs: new Between(3000, 7000), toMs: new Between(6000, 11_000) }],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 900, packetsPerSecond: 100, lossRatio: [0.31, 0.37] }],
} satisfies Scenario;

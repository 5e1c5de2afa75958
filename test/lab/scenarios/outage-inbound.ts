import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { Between, type Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'Two seconds into the run nothing comes back for five seconds; what is sent still arrives.',
  rules: outage({ after: { seconds: 2 }, seconds: 5, direction: 'inbound' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  outages: [{ fromMs: new Between(1000, 5000), toMs: new Between(5000, 11_000) }],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 900, packetsPerSecond: 100, lossRatio: [0.53, 0.59] }],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { Between, type Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about:
    'The line fails over: from the 13th UDP packet on nothing passes for five seconds, either way; then everything does.',
  rules: outage({ after: { packets: 12 }, seconds: 5 }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  outages: [{ toMs: new Between(4000, 20_000) }],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 800, packetsPerSecond: 100, lossRatio: [0.6, 0.66] }],
} satisfies Scenario;

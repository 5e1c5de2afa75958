import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'From the second TCP packet on no TCP passes for four seconds; UDP is not touched.',
  rules: outage({ after: { packets: 1 }, seconds: 4, what: 'tcp' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'tcp/*': 'away', 'tls/*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  outages: [{}],
  eachAlone: true,
  measuredOnly: true,
  repeat: 3,
  notFixed: 'nothing is to be permitted',
  measureFlows: [{ port: 5060, transport: 'tcp', flows: 60, flowsPerSecond: 10, deadRatio: [0.3, 0.8] }],
} satisfies Scenario;

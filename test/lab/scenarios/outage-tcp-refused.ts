import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'From 0.4 s after the first packet on TCP is refused for two and a half seconds, then passes again.',
  rules: outage({
    ...{ after: { seconds: 0.4 }, seconds: 2.5, what: 'tcp', direction: 'outbound' },
    verdict: 'reject with tcp reset',
  }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'tcp/*': 'away', 'tls/*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  repeat: 2,
  notFixed: 'nothing is to be permitted',
  measureFlows: [{ port: 5060, transport: 'tcp', flows: 60, flowsPerSecond: 10, deadRatio: [0.3, 0.8] }],
} satisfies Scenario;

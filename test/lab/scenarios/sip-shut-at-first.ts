import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about: 'UDP 5060 is dropped on its way out until 3.4 s after the first packet: a rule that ends mid-run.',
  rules: outage({ after: { seconds: 0 }, seconds: 3.4, only: 'udp dport 5060' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'away' },
  // It is asked on until it passes; what was lost meanwhile cannot be told from loss by the port alone.
  expect: { 'sip-options/udp/5060': ['pass/answered', 'degraded/loss', 'unknown/*'] },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  saysNot: [/[Ii]nspection|IPS|source port 5060 only/],
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  repeat: 2,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 5060, packets: 500, packetsPerSecond: 100, lossRatio: [0.62, 0.72] }],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage } from '../trouble.js';

export default {
  about:
    'Ports 16384 to 16419 are dropped on their way out until 2.5 s after the first packet: a rule that ends mid-run.',
  rules: outage({ after: { seconds: 0 }, seconds: 2.5, only: 'udp dport 16384-16419' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/16384-16419': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  saysNot: [/[Ii]nspection|IPS|firewall or router blocks/],
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  repeat: 2,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 500, packetsPerSecond: 100, lossRatio: [0.45, 0.55] }],
} satisfies Scenario;

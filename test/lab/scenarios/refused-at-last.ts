import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { refusedWhile } from '../trouble.js';

export default {
  about: 'From two seconds after the first packet on everything is refused, as by a host whose reflector has ended.',
  rules: refusedWhile({ fromSeconds: 2, seconds: 3600 }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': 'outage' },
  says: [/refused what it had answered before/],
  // Who refuses is no guard that drops, and no firewall of the branch's is accused.
  saysNot: [/flood|[Pp]ort.scan/],
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  repeat: 2,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 400, packetsPerSecond: 100, lossRatio: [0.45, 0.55] }],
} satisfies Scenario;

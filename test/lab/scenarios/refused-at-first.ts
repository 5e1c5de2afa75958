import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { refusedWhile } from '../trouble.js';

export default {
  about: 'For two seconds from the first packet on everything is refused, as by a host whose reflector is not up yet.',
  rules: refusedWhile({ fromSeconds: 0, seconds: 2 }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'away' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'outage'] },
  saysNot: [/[Oo]verloaded|loses packets|firewall or router blocks|flood/],
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  repeat: 2,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 400, packetsPerSecond: 100, lossRatio: [0.45, 0.55] }],
} satisfies Scenario;

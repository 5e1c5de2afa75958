import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Five new TCP connections pass at once, and two a second after that; UDP is not touched.',
  rules: forward('iifname "lan0" meta l4proto tcp ct state new limit rate over 2/second burst 5 packets drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'tcp/*': 'cut-off', 'tls/*': 'cut-off' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  saysNot: [/bundle|LAG|ECMP/],
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'nothing is to be permitted',
  measureFlows: [{ port: 5060, transport: 'tcp', flows: 30, flowsPerSecond: 30, deadRatio: [0.4, 0.95] }],
} satisfies Scenario;

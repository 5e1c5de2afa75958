import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about:
    'Five new flows to UDP 5060 pass at once and one each three seconds after that; flows that stand are not touched.',
  rules: forward('iifname "lan0" udp dport 5060 ct state new limit rate over 20/minute burst 5 packets drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'cut-off' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  cause: { 'business-sip': ['none', 'flood-guard', 'cut-off'] },
  saysNot: [/inspection|MTU|fragment|keepalive/],
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'nothing is to be permitted',
  measureFlows: [{ port: 5060, transport: 'udp', flows: 60, flowsPerSecond: 60, deadRatio: [0.6, 0.95] }],
} satisfies Scenario;

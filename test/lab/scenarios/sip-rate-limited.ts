import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Three datagrams a second pass to UDP 5060 and no more; nothing else is limited.',
  rules: forward('iifname "lan0" udp dport 5060 limit rate over 3/second drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'policed' },
  services: { 'business-sip': ['works', 'degraded'] },
  // The first questions use up the credit that the limit begins with.
  says: [/UDP 5060 (lets only so many|no more passed)|rate limit|limit of SIP/],
  saysNot: [/inspection|MTU|fragment/],
  notFixed: 'nothing is to be permitted',
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  measure: [{ port: 5060, packets: 100, packetsPerSecond: 50, lossRatio: [0.8, 0.97] }],
} satisfies Scenario;

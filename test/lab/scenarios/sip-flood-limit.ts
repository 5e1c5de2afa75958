import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A SIP flood protection lets ten messages to UDP 5060 pass at once and one each three seconds after that.',
  rules: forward('iifname "lan0" udp dport 5060 limit rate over 20/minute burst 10 packets drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'cut-off' },
  // Of a run that ends before a limit is known, the port loses messages; the line does not.
  expect: { 'sip-options/udp/5060': ['pass/answered', 'degraded/rate-limited', 'degraded/loss', 'unknown/*'] },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  cause: { 'business-sip': ['none', 'flood-guard', 'cut-off'] },
  // Neither size nor content played a part.
  saysNot: [/inspection|MTU|fragment|keepalive/],
  // From here a guard that lets in again looks like a line that was away.
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 5060, packets: 100, packetsPerSecond: 50, lossRatio: [0.87, 0.91] }],
} satisfies Scenario;

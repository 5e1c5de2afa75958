import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { cutOff, STOPPED } from '../trouble.js';

export default {
  about: 'After 15 packets to UDP 5060 that port is shut for this host; all others pass.',
  rules: cutOff({ counts: 'udp dport 5060', after: { packets: 15 }, drops: 'udp dport 5060', seconds: null }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'cut-off' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  cause: { 'business-sip': ['none', 'cut-off', 'flood-guard', 'session-limit'] },
  saysNot: [STOPPED, /inspection|MTU|fragment/],
  // From here a guard that lets in again looks like a line that was away.
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'the guard has shut this host out, and no rule about ports lets it in again',
  measure: [{ port: 5060, packets: 100, packetsPerSecond: 100, lossRatio: [0.84, 0.86] }],
} satisfies Scenario;

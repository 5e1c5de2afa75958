import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { cutOff, STOPPED } from '../trouble.js';

export default {
  about: 'After 150 UDP packets everything of this host is dropped for good.',
  rules: cutOff({ counts: 'meta l4proto udp', after: { packets: 150 }, seconds: null }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'cut-off' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  cause: { 'business-sip': ['none', 'cut-off', 'flood-guard', 'session-limit'] },
  saysNot: [STOPPED, /inspection|MTU|fragment/],
  // From here a guard that lets in again looks like a line that was away.
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'the guard has shut this host out, and no rule about ports lets it in again',
  measure: [{ port: 16_384, packets: 300, packetsPerSecond: 100, lossRatio: [0.49, 0.51] }],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { cutOff, STOPPED } from '../trouble.js';

export default {
  about: 'More than 40 new UDP flows are a port scan to it: everything of this host is dropped for eight seconds.',
  rules: cutOff({ counts: 'meta l4proto udp', after: { flows: 40, perSecond: 1 }, seconds: 8 }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'cut-off' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  cause: { 'business-sip': ['none', 'cut-off', 'comes-and-goes', 'flood-guard', 'session-limit'] },
  saysNot: [STOPPED, /inspection|MTU|fragment/],
  // From here a guard that lets in again looks like a line that was away.
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'the guard has shut this host out, and no rule about ports lets it in again',
  measureFlows: [{ port: 16_384, transport: 'udp', flows: 100, flowsPerSecond: 100, deadRatio: [0.5, 0.75] }],
} satisfies Scenario;

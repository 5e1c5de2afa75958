import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { cutOff, STOPPED } from '../trouble.js';

export default {
  about:
    'More than six new TCP connections at once are an attack to it: everything of this host is dropped for a minute.',
  rules: cutOff({ counts: 'meta l4proto tcp', after: { flows: 6, perSecond: 1 }, seconds: 60 }),
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
  measureFlows: [{ port: 5060, transport: 'tcp', flows: 20, flowsPerSecond: 40, deadRatio: [0.6, 0.75] }],
} satisfies Scenario;

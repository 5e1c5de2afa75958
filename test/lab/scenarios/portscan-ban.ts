import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { cutOff, STOPPED } from '../trouble.js';

export default {
  about:
    'More than 30 new UDP flows at once, or five a second after that, are a port scan to it: everything of this host is dropped for a minute.',
  rules: cutOff({ counts: 'meta l4proto udp', after: { flows: 30, perSecond: 5 }, seconds: 60 }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'cut-off' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['none', 'cut-off', 'flood-guard', 'session-limit'] },
  // What helps is to be exempt, or to ask slower.
  says: [/exempt|--max-pps/i],
  saysNot: [STOPPED, /inspection|MTU|fragment/],
  // From here a guard that lets in again looks like a line that was away.
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'the guard has shut this host out, and no rule about ports lets it in again',
  measureFlows: [{ port: 16_384, transport: 'udp', flows: 100, flowsPerSecond: 100, deadRatio: [0.6, 0.75] }],
} satisfies Scenario;

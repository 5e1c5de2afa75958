import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { deadMember } from '../trouble.js';

export default {
  about: 'One of two links that share flows by a hash loses all TCP that leaves over it; UDP goes elsewhere.',
  rules: deadMember({ of: 2, seed: 0xfeed, transport: 'tcp' }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'tcp/*': 'flows-die', 'tls/*': 'flows-die' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  perhapsSymptoms: { 'business-sip': ['some-calls-silent', 'choppy-audio', 'lost-inbound-calls'] },
  // No rule mends it: each port passes from another source port.
  saysNot: [/[Ii]nspection|firewall or router blocks|[Oo]verloaded/],
  notFixed: 'nothing is to be permitted',
  repeat: 3,
  measureFlows: [{ port: 5060, transport: 'tcp', flows: 60, flowsPerSecond: 60, deadRatio: [0.25, 0.75] }],
} satisfies Scenario;

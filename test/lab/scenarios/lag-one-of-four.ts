import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { deadMember } from '../trouble.js';

export default {
  about: 'One of four links that share flows by a hash loses all UDP that leaves over it.',
  rules: deadMember({ of: 4, seed: 0xcafe }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/*': 'flows-die' },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['some-calls-silent', 'choppy-audio', 'lost-inbound-calls'] },
  says: [/bundle|LAG|ECMP/],
  // No rule mends it: each port passes from another source port.
  saysNot: [/[Ii]nspection|firewall or router blocks|[Oo]verloaded/],
  notFixed: 'nothing is to be permitted',
  repeat: 3,
  measureFlows: [{ port: 16_384, transport: 'udp', flows: 200, flowsPerSecond: 100, deadRatio: [0.12, 0.4] }],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { deadMember } from '../trouble.js';

export default {
  about: 'Two links share what comes back by a hash; one loses all UDP, so the answers of half of the flows are lost.',
  rules: deadMember({ of: 2, seed: 0xbeef, direction: 'inbound' }),
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
  measureFlows: [{ port: 16_384, transport: 'udp', flows: 200, flowsPerSecond: 100, deadRatio: [0.35, 0.65] }],
} satisfies Scenario;

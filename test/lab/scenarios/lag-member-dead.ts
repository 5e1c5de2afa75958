import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { deadMember } from '../trouble.js';

export default {
  about: 'Two links share flows by a hash of addresses and ports; one loses all UDP that leaves over it.',
  rules: deadMember({ of: 2, seed: 0xfeed }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/*': 'flows-die' },
  // Asked from so many source ports, one of them lives: it is known to pass.
  expect: { 'sip-options/udp/5060': ['degraded/flow-loss', 'pass/answered'] },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['some-calls-silent', 'choppy-audio', 'lost-inbound-calls'] },
  says: [/bundle|LAG|ECMP/],
  // No rule mends it: each port passes from another source port.
  saysNot: [/[Ii]nspection|firewall or router blocks|[Oo]verloaded/],
  notFixed: 'nothing is to be permitted',
  repeat: 4,
  measureFlows: [{ port: 16_384, transport: 'udp', flows: 200, flowsPerSecond: 100, deadRatio: [0.35, 0.65] }],
} satisfies Scenario;

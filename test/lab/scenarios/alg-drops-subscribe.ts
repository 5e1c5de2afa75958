import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'An ALG swallows SUBSCRIBE and NOTIFY on UDP 5060 in both directions; all other methods pass.',
  topology: 'wired',
  parts: [
    wire({
      sip: [
        { of: 'requests', methods: ['SUBSCRIBE', 'NOTIFY'], drop: true },
        { of: 'responses', methods: ['SUBSCRIBE', 'NOTIFY'], drop: true },
      ],
    }),
    reflectorOnTwo(),
  ],
  args: SMALL_MEDIA_RANGE,
  really: { 'sip-alg/udp/5060': 'filtered' },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['cannot-call', 'lost-inbound-calls', 'transfers-fail'] },
  report: { sipAlg: { detected: true, findings: [{ method: 'SUBSCRIBE', kind: 'dropped' }] } },
  notVerified: 'no hand-made question is a SUBSCRIBE',
  notFixed: 'the ALG is a device of its own, which no rule of this firewall switches off',
} satisfies Scenario;

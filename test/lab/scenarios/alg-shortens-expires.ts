import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'An ALG makes registrations over UDP 5060 shorter: a REGISTER that asks for long asks for 60 seconds.',
  topology: 'wired',
  parts: [
    wire({
      sip: [
        {
          of: 'requests',
          methods: ['REGISTER'],
          replace: [
            ['(?<=^Expires[ \\t]*:[ \\t]*)\\d+', '60'],
            [';expires=\\d+', ';expires=60'],
          ],
        },
      ],
    }),
    reflectorOnTwo(),
  ],
  args: SMALL_MEDIA_RANGE,
  really: { 'sip-alg/udp/5060': 'sip-alg' },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['lost-inbound-calls', 'registration-flaps'] },
  report: { sipAlg: { detected: true, findings: [{ method: 'REGISTER', direction: 'outbound', field: 'Expires' }] } },
  notVerified: 'no hand-made question is a REGISTER',
  notFixed: 'the ALG is a device of its own, which no rule of this firewall switches off',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about:
    'An ALG passes on only what routing a SIP request takes; all other header fields are gone, the unknown ones too.',
  topology: 'wired',
  parts: [
    wire({ sip: [{ of: 'requests', remove: ['User-Agent', 'Supported', 'Allow', 'Accept', 'X-[A-Za-z-]+'] }] }),
    reflectorOnTwo(),
  ],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'sip-alg' },
  // With its proof gone the question is a stranger's, and so is the answer: altered for certain, by whom is not.
  expect: { 'udp/5060': ['altered/*', 'unknown/*'] },
  services: { 'business-sip': ['degraded', 'unknown'] },
  perhapsSymptoms: { 'business-sip': ['lost-inbound-calls'] },
  notVerified: 'hand-made questions have none of these fields',
  notFixed: 'the ALG is a device of its own, which no rule of this firewall switches off',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about:
    'An ALG passes on only the header fields that it knows: User-Agent, Supported, Allow and Accept are gone from requests to UDP 5060.',
  topology: 'wired',
  parts: [
    wire({ sip: [{ of: 'requests', remove: ['User-Agent', 'Supported', 'Allow', 'Accept'] }] }),
    reflectorOnTwo(),
  ],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'sip-alg', 'stun-binding/udp/5060': 'open', 'udp-echo/udp/5060': 'open' },
  // The far end saw it all and fits its answer to what is left of the question.
  expect: { 'size-sweep/udp/5060': ['altered/sip-alg', 'pass/answered', 'unknown/*'] },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['lost-inbound-calls'] },
  report: { sipAlg: { detected: true, findings: [{ field: 'User-Agent' }] } },
  notVerified: 'hand-made questions have none of these fields',
  notFixed: 'the ALG is a device of its own, which no rule of this firewall switches off',
} satisfies Scenario;

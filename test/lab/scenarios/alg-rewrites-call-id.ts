import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'An ALG puts the public address in place of the private one in Call-ID, over UDP 5060.',
  topology: 'wired',
  parts: [
    wire({ sip: [{ of: 'requests', replace: [['(?<=^Call-ID:[^@\\r\\n]*@)10\\.77\\.0\\.2', '198.51.100.1']] }] }),
    reflectorOnTwo(),
  ],
  args: SMALL_MEDIA_RANGE,
  // A phone whose Call-ID has a host part gets answers to a dialog that it does not know.
  really: { 'sip-alg/udp/5060': 'sip-alg' },
  expect: {
    'sip-options/udp/5060': ['pass/answered', 'altered/sip-alg', 'unknown/*'],
    'size-sweep/udp/5060': ['pass/answered', 'altered/sip-alg', 'unknown/*'],
  },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['lost-inbound-calls', 'calls-drop'] },
  report: { sipAlg: { detected: true, findings: [{ field: 'Call-ID' }] } },
  notVerified: 'hand-made questions have no host part in Call-ID',
} satisfies Scenario;

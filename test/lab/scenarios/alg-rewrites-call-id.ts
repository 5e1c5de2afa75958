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
  // What the longer address makes larger than Ethernet takes is lost as well.
  really: { 'sip-alg/udp/5060': 'sip-alg', 'size-sweep/udp/5060': 'size-filtered' },
  expect: {
    'sip-options/udp/5060': ['pass/answered', 'altered/sip-alg', 'unknown/*'],
    'size-sweep/udp/5060': ['blocked/payload-filtered', 'blocked/size-filtered', 'altered/sip-alg', 'unknown/*'],
  },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['lost-inbound-calls', 'calls-drop', 'long-invites-fail', 'transfers-fail'] },
  report: { sipAlg: { detected: true, findings: [{ field: 'Call-ID' }] } },
  notVerified: 'hand-made questions have no host part in Call-ID',
  notFixed: 'the ALG is a device of its own, which no rule of this firewall switches off',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'An ALG changes the port that answers from UDP 5060 say they were seen from (rport).',
  topology: 'wired',
  parts: [wire({ sip: [{ of: 'responses', replace: [[';rport=\\d+', ';rport=5099']] }] }), reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'sip-options/udp/5060': 'sip-alg', 'sip-alg/udp/5060': 'sip-alg' },
  expect: {
    'sip-options/udp/5060': ['altered/sip-alg', 'pass/answered'],
    'size-sweep/udp/5060': ['altered/sip-alg', 'pass/answered'],
  },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'sip-alg' },
  perhapsSymptoms: {
    'business-sip': ['lost-inbound-calls', 'one-way-audio-inbound', 'calls-drop', 'registration-flaps'],
  },
  repeat: 3,
  report: { sipAlg: { detected: true, findings: [{ direction: 'inbound', class: 'semantic' }] } },
  notVerified: 'what changes is the answer, of which hand-made questions read the mark alone',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'An ALG puts itself into Contact and Record-Route of the answers from UDP 5060.',
  topology: 'wired',
  parts: [
    wire({
      sip: [
        {
          of: 'responses',
          replace: [
            ['(?<=^Contact:.*?sip:(?:[^@>]*@)?)[^@:;>\\r\\n]+(?=[:;>\\r])', '10.77.0.1'],
            ['(?<=^Record-Route:.*?sip:)[^@:;>\\r\\n]+', '10.77.0.1'],
          ],
        },
      ],
    }),
    reflectorOnTwo(),
  ],
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

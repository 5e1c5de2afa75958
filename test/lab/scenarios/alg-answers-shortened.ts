import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'An ALG takes header fields out of the answers from UDP 5060: Server, Allow, Supported and Accept.',
  topology: 'wired',
  parts: [
    wire({ sip: [{ of: 'responses', remove: ['Server', 'User-Agent', 'Allow', 'Supported', 'Accept'] }] }),
    reflectorOnTwo(),
  ],
  args: SMALL_MEDIA_RANGE,
  // Nothing of it changes where a call goes.
  really: { 'sip-alg/udp/5060': 'sip-alg' },
  expect: { 'udp/5060': ['altered/sip-alg', 'pass/answered'] },
  services: { 'business-sip': ['works', 'degraded'] },
  report: { sipAlg: { detected: true, findings: [{ direction: 'inbound' }] } },
  repeat: 3,
  notVerified: 'what changes is the answer, of which hand-made questions read the mark alone',
} satisfies Scenario;

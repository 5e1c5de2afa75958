import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about:
    'Something writes the names of SIP header fields in another way on UDP 5060 (compact forms, lower case); the meaning stays.',
  topology: 'wired',
  parts: [
    wire({
      sip: [
        {
          of: 'requests',
          replace: [
            ['^Via:', 'v:'],
            ['^From:', 'f:'],
            ['^User-Agent:', 'user-agent:'],
          ],
        },
        {
          of: 'responses',
          replace: [
            ['^To:', 't:'],
            ['^Call-ID:', 'i:'],
          ],
        },
      ],
    }),
    reflectorOnTwo(),
  ],
  args: SMALL_MEDIA_RANGE,
  // It is told, and hurts nobody: no reason to switch anything off.
  expect: { 'udp/5060': ['pass/answered', 'unknown/*'] },
  services: { 'business-sip': 'works' },
  cause: { 'business-sip': 'none' },
  report: { sipAlg: { findings: [{ class: 'cosmetic' }] } },
  saysNot: [/[Ss]witch off/],
  notVerified: 'an observer compares octets, and these differ',
} satisfies Scenario;

import { kamailio } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'A SIP server of another house answers at the target, a token was given, and there is no reflector.',
  parts: [kamailio()],
  args: ['--rtp-range', '16384-16415'],
  really: { 'sip-options/udp/5060': 'unproven', 'sip-options/tcp/5060': 'unproven' },
  // Nobody else listens there, and nobody else's refusal is proven either.
  expect: { '*': 'unknown/*', 'sip-options/udp/5060': 'unknown/unproven', 'sip-options/tcp/5060': 'unknown/unproven' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['none', 'unproven', 'nothing-listens'] },
  says: [/token/],
  notVerified: 'nothing is wrong with the network',
} satisfies Scenario;

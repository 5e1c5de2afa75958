import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'The path is open and the reflector has another token than the one that was given.',
  parts: [reflector({ args: ['--udp', '3478,5060,16384-16415'], ownToken: true })],
  args: ['--rtp-range', '16384-16415'],
  really: { '*': 'unproven' },
  // What only a reflector answers is not asked, or asked of nobody.
  expect: {
    '*': 'unknown/*',
    'sip-options/udp/5060': 'unknown/unproven',
    'stun-binding/udp/3478': 'unknown/unproven',
  },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['none', 'unproven', 'wrong-token'] },
  says: [/token/],
  notVerified: 'nothing is wrong with the network',
} satisfies Scenario;

import { coturn } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'A STUN server of another house answers at the target, a token was given, and there is no reflector.',
  parts: [coturn()],
  args: ['--rtp-range', '16384-16415'],
  really: { 'stun-binding/udp/3478': 'unproven' },
  expect: { '*': 'unknown/*', 'stun-binding/udp/3478': 'unknown/unproven' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['none', 'unproven', 'nothing-listens'] },
  says: [/token/],
  notVerified: 'nothing is wrong with the network',
} satisfies Scenario;

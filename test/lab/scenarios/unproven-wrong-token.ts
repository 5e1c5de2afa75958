import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'The path is open and the reflector has another token than the one that was given.',
  parts: [reflector({ args: ['--udp', '3478,5060,16384-16415'], ownToken: true })],
  args: ['--rtp-range', '16384-16415'],
  really: { '*': 'unproven' },
  expect: { 'udp/16384-16415': 'unknown/*', 'sip-alg/*/*': 'unknown/*', 'size-sweep/udp/5060': 'unknown/*' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['none', 'unproven'] },
  says: [/token/],
  notVerified: 'nothing is wrong with the network',
} satisfies Scenario;

import { impostor, reflector } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'Another reflector answers SIP, STUN and media in place of ours, under a token that is not ours.',
  rules: intercept('udp dport { 3478, 5060, 16384-16415 } redirect'),
  parts: [reflector(), impostor('3478,5060,16384-16415')],
  args: ['--rtp-range', '16384-16415'],
  really: { 'udp/3478': 'intercepted', 'udp/5060': 'intercepted', 'udp/16384-16415': 'intercepted' },
  // A reflector answers no stranger's media, and this one takes us for strangers.
  expect: { 'udp/16384-16415': 'blocked/dropped-outbound' },
  services: { 'business-sip': 'impaired' },
  notVerified: 'the answers are those of a reflector, which hand-made questions cannot tell from another',
  perhapsSymptoms: { 'business-sip': ['one-way-audio-outbound', 'one-way-audio-inbound'] },
  cause: { 'business-sip': ['interception-takes-more', 'interception', 'port-filter', 'silent-reflector'] },
} satisfies Scenario;

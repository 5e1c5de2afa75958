import { reflector, tamper } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'Somebody changes an octet of the proof in every SIP, STUN and media answer.',
  rules: intercept('udp dport { 3478, 5060, 16384-16415 } redirect'),
  parts: [reflector(), tamper('rewrite-answers', '3478,5060,16384-16415')],
  args: ['--rtp-range', '16384-16415'],
  really: { 'udp/3478': 'intercepted', 'udp/5060': 'intercepted', 'udp/16384-16415': 'intercepted' },
  // Media whose proof does not hold is nobody's media: the reflector says that it answered, and no answer came.
  expect: { 'udp/16384-16415': 'blocked/dropped-inbound' },
  services: { 'business-sip': 'impaired' },
  notVerified: 'what is forged here is the proof, which hand-made questions do not carry',
  perhapsSymptoms: { 'business-sip': ['one-way-audio-outbound', 'one-way-audio-inbound'] },
  cause: { 'business-sip': ['interception-takes-more', 'interception', 'port-filter', 'silent-reflector'] },
} satisfies Scenario;

import { reflector, tamper } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'Somebody swaps the answers of sessions that go on at the same time.',
  rules: intercept('udp dport { 3478, 5060, 16384-16415 } redirect'),
  parts: [reflector(), tamper('splice', '3478,5060,16384-16415')],
  args: ['--rtp-range', '16384-16415'],
  really: { 'udp/3478': 'intercepted', 'udp/5060': 'intercepted', 'udp/16384-16415': 'intercepted' },
  repeat: 2,
  // Media with another session's proof is refused: the reflector says that it answered, and no answer came.
  expect: {
    'udp/3478': ['altered/answered-by-other', 'blocked/dropped-inbound'],
    'udp/5060': ['altered/answered-by-other', 'blocked/dropped-inbound'],
    'udp/16384-16415': ['blocked/dropped-inbound', 'unknown/no-answer'],
  },
  services: { 'business-sip': ['impaired', 'unknown'] },
  notVerified: 'what is forged here is the proof, which hand-made questions do not carry',
  perhapsSymptoms: { 'business-sip': ['one-way-audio-outbound', 'one-way-audio-inbound'] },
  cause: { 'business-sip': ['interception-takes-more', 'interception', 'port-filter', 'silent-reflector'] },
} satisfies Scenario;

import { reflector, tamper } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'Somebody answers SIP, STUN and media from what he captured, and lets nothing through.',
  rules: intercept('udp dport { 3478, 5060, 16384-16415 } redirect'),
  parts: [reflector(), tamper('replay', '3478,5060,16384-16415')],
  args: ['--rtp-range', '16384-16415'],
  really: { 'udp/3478': 'intercepted', 'udp/5060': 'intercepted', 'udp/16384-16415': 'intercepted' },
  // Of two runs beside each other one is robbed of its answers, which the other is given.
  repeat: 2,
  expect: {
    'udp/3478': ['altered/answered-by-other', 'blocked/dropped-outbound', 'unknown/no-answer'],
    'udp/5060': ['altered/answered-by-other', 'blocked/dropped-outbound', 'unknown/no-answer'],
    'udp/16384-16415': ['blocked/dropped-outbound', 'blocked/dropped-inbound', 'unknown/no-answer'],
  },
  services: { 'business-sip': ['impaired', 'unknown'] },
  notVerified: 'what is forged here is the proof, which hand-made questions do not carry',
  perhapsSymptoms: { 'business-sip': ['one-way-audio-outbound', 'one-way-audio-inbound'] },
  cause: { 'business-sip': ['interception-takes-more', 'interception', 'port-filter', 'silent-reflector'] },
} satisfies Scenario;

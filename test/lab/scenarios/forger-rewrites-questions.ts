import { reflector, tamper } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'Somebody changes an octet of every SIP, STUN and media packet on its way out.',
  rules: intercept('udp dport { 3478, 5060, 16384-16415 } redirect'),
  parts: [reflector(), tamper('rewrite-questions', '3478,5060,16384-16415')],
  args: ['--rtp-range', '16384-16415'],
  really: { 'udp/3478': 'intercepted', 'udp/5060': 'intercepted', 'udp/16384-16415': 'intercepted' },
  expect: {
    'udp/3478': 'altered/payload-rewritten',
    'udp/16384-16415': 'altered/payload-rewritten',
    'sip-options/udp/5060': 'altered/sip-alg',
    'sip-alg/udp/5060': ['altered/sip-alg', 'altered/payload-rewritten'],
    'size-sweep/udp/5060': ['altered/sip-alg', 'altered/payload-rewritten'],
  },
  services: { 'business-sip': 'degraded' },
  notVerified: 'what is forged here is the proof, which hand-made questions do not carry',
  cause: { 'business-sip': ['rewriting', 'sip-alg'] },
  notFixed: 'who changes the packets is a host of its own, which no rule about SIP takes away',
} satisfies Scenario;

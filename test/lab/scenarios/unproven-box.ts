import { impostor, reflector } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about:
    'A box in the middle answers SIP, STUN, TCP and TLS by itself; nobody reaches the reflector, and nobody knows the token.',
  rules: intercept('tcp dport 443 redirect to :8443', 'meta l4proto { tcp, udp } redirect'),
  parts: [reflector(), impostor('3478,5060,16384-16415')],
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
  notVerified: 'the answers are those of a reflector, which hand-made questions cannot tell from another',
} satisfies Scenario;

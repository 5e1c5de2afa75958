import { reflector } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'Somebody sends SIP, STUN and media to other ports of the same reflector, whose answers are genuine.',
  audio: true,
  rules: intercept(
    `udp dport { 3478, 16384-16415 } dnat to ${ADDRESS.target}:5060`,
    `udp dport 5060 dnat to ${ADDRESS.target}:3478`,
  ),
  parts: [reflector()],
  args: ['--rtp-range', '16384-16415'],
  really: { 'udp/3478': 'intercepted', 'udp/5060': 'intercepted', 'udp/16384-16415': 'intercepted' },
  services: { 'business-sip': 'degraded' },
} satisfies Scenario;

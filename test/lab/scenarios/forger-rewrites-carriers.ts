import { reflector, tamper } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

/** RTP only: the even ports. */
const PORTS = [16_384, 16_386, 16_388, 16_390, 16_392, 16_394, 16_396, 16_398].join(',');

export default {
  about: 'Somebody changes the address in STUN answers and the end of RTP, and leaves the proof inside as it is.',
  audio: true,
  rules: intercept(`udp dport { 3478, ${PORTS} } redirect`),
  parts: [reflector(), tamper('rewrite-carriers', `3478,${PORTS}`)],
  args: ['--rtp-range', '16384-16399'],
  really: { 'udp/3478': 'intercepted', 'udp/16384-16399:even': 'intercepted' },
  expect: { 'udp/3478': 'altered/payload-rewritten', 'udp/16384-16399:even': 'altered/payload-rewritten' },
  services: { 'business-sip': 'degraded' },
  notVerified: 'what is changed is an answer whose proof holds, and hand-made questions get none',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'Something takes all attributes out of STUN requests to UDP 3478, and the far end sees every one of them.',
  topology: 'wired',
  parts: [wire({ bareStun: 3478 }), reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  // Nothing is blocked: what arrives is a stranger's question, and not ours.
  really: { 'stun-binding/udp/3478': 'rewritten' },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  notVerified: 'hand-made questions have no attributes',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'The first packet of each UDP flow is held for 0.4 s, and what comes meanwhile behind it; nothing is lost.',
  audio: true,
  topology: 'wired',
  parts: [wire({ holdFirstMs: 400 }), reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  // A call begins 0.4 s late, once: neither its delay nor its jitter.
  really: { 'udp/*': 'first-lost' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'first-packet'] },
  says: [/first packet/],
  saysNot: [/[Oo]verloaded|Wi-Fi|long path/],
  measureFlows: [
    { port: 16_384, transport: 'udp', flows: 50, flowsPerSecond: 50, deadRatio: [0, 0], firstRttMs: [400, 600] },
  ],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { firstLost } from '../trouble.js';

export default {
  about: 'The first packet of each UDP flow is lost on its way out, and no other.',
  audio: true,
  rules: firstLost(),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  // A call loses its first 20 ms and nothing later: no loss of the line, and no reason to look at it.
  really: { 'udp/*': 'first-lost' },
  services: { 'business-sip': ['works', 'unknown'] },
  cause: { 'business-sip': ['none', 'first-packet'] },
  says: [/first packet/],
  saysNot: [/[Oo]verloaded|Wi-Fi/],
  measureFlows: [
    { port: 16_384, transport: 'udp', flows: 50, flowsPerSecond: 50, deadRatio: [0, 0], firstLostRatio: [1, 1] },
  ],
} satisfies Scenario;

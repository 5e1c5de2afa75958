import { reflectorOnTwo, SMALL_MEDIA_RANGE, wire } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { NO_LOSS } from '../trouble.js';

export default {
  about: 'Everything takes 1.25 s each way, connections too, and nothing is lost.',
  topology: 'wired',
  parts: [wire({ delayMs: { outbound: 1250, inbound: 1250 } }), reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { '*': 'slow' },
  // What passes beside SIP is looked at once, and not timed.
  expect: { 'stun-binding/udp/5060': 'pass/answered', 'udp-echo/udp/5060': 'pass/answered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['delayed-audio'] },
  cause: { 'business-sip': 'long-way' },
  saysNot: NO_LOSS,
  measuredOnly: true,
  measure: [{ port: 16_384, packets: 100, packetsPerSecond: 100, lossRatio: [0, 0], medianRttMs: [2500, 2750] }],
  measureFlows: [
    { port: 5060, transport: 'tcp', flows: 10, flowsPerSecond: 20, deadRatio: [0, 0], firstRttMs: [2500, 2750] },
  ],
} satisfies Scenario;

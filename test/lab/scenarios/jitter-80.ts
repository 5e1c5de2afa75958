import { reflector, relay } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'UDP is delayed by 10 to 90 ms in each direction, changing from packet to packet.',
  rules: intercept('udp dport { 3478, 5060, 16384-16483 } redirect'),
  parts: [reflector(), relay('5060,3478,16384-16483', { delay: 10, jitter: 80 })],
  args: ['--rtp-range', '16384-16483', '--media', '6'],
  really: {},
  // Order is kept, so that two packets in a row differ by less than what is added: near the threshold of 30 ms.
  expect: { 'media-stream/udp/16384': ['pass/answered', 'degraded/jitter'] },
  services: { 'business-sip': ['works', 'degraded'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  measure: [{ port: 16_384, packets: 300, packetsPerSecond: 100, lossRatio: [0, 0.01], medianRttMs: [60, 200] }],
} satisfies Scenario;

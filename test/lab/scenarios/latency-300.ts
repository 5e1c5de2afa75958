import { reflector, relay } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'UDP takes 150 ms in each direction.',
  rules: intercept('udp dport { 3478, 5060, 16384-16483 } redirect'),
  parts: [reflector(), relay('5060,3478,16384-16483', { delay: 150 })],
  args: ['--rtp-range', '16384-16483'],
  really: { 'udp/3478': 'slow', 'udp/5060': 'slow', 'udp/16384-16483': 'slow' },
  services: { 'business-sip': 'degraded' },
  measure: [{ port: 16_384, packets: 300, packetsPerSecond: 100, lossRatio: [0, 0.01], medianRttMs: [295, 330] }],
} satisfies Scenario;

import { reflector, relay } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'UDP takes 20 ms in each direction, as to a provider in the same country.',
  rules: intercept('udp dport { 3478, 5060, 16384-16483 } redirect'),
  parts: [reflector(), relay('5060,3478,16384-16483', { delay: 20 })],
  args: ['--rtp-range', '16384-16483'],
  really: {},
  services: { 'business-sip': 'works' },
  cause: { 'business-sip': 'none' },
  measure: [{ port: 16_384, packets: 300, packetsPerSecond: 100, lossRatio: [0, 0.01], medianRttMs: [39, 60] }],
} satisfies Scenario;

import { reflector, relay } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'One datagram in twenty is overtaken by the next ones, in each direction.',
  rules: intercept('udp dport { 3478, 5060, 16384-16483 } redirect'),
  parts: [reflector(), relay('5060,3478,16384-16483', { delay: 5, reorder: 0.05 })],
  args: ['--rtp-range', '16384-16483', '--media', '6'],
  really: {},
  expect: { 'media-stream/udp/16384': 'degraded/reordered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['choppy-audio'] },
  measure: [{ port: 16_384, packets: 300, packetsPerSecond: 100, lossRatio: [0, 0.01], reorderRatio: [0.04, 0.2] }],
} satisfies Scenario;

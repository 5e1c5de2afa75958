import { reflector, relay } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';

export default {
  about: 'UDP takes 200 ms in each direction, more than a call bears.',
  rules: intercept('udp dport { 3478, 5060, 16384-16483 } redirect'),
  parts: [reflector(), relay('5060,3478,16384-16483', { delay: 200 })],
  args: ['--rtp-range', '16384-16483'],
  really: { 'udp/3478': 'slow', 'udp/5060': 'slow', 'udp/16384-16483': 'slow' },
  // What passes beside SIP is looked at once, and not timed.
  expect: { 'stun-binding/udp/5060': 'pass/answered', 'udp-echo/udp/5060': 'pass/answered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['delayed-audio'] },
  cause: { 'business-sip': 'long-way' },
  measure: [{ port: 16_384, packets: 300, packetsPerSecond: 100, lossRatio: [0, 0.01], medianRttMs: [395, 440] }],
} satisfies Scenario;

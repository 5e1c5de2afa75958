import { reflector, relay } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';
import { NO_LOSS } from '../trouble.js';

export default {
  about: 'UDP takes 0.8 s each way and nothing is lost; TCP is as quick as ever.',
  rules: intercept('udp dport { 3478, 5060, 16384-16483 } redirect'),
  parts: [reflector(), relay('5060,3478,16384-16483', { delay: 800 })],
  args: ['--rtp-range', '16384-16483'],
  really: { 'udp/3478': 'slow', 'udp/5060': 'slow', 'udp/16384-16483': 'slow' },
  // What passes beside SIP is looked at once, and not timed.
  expect: { 'stun-binding/udp/5060': 'pass/answered', 'udp-echo/udp/5060': 'pass/answered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['delayed-audio'] },
  cause: { 'business-sip': 'long-way' },
  saysNot: NO_LOSS,
  measuredOnly: true,
  measure: [{ port: 16_384, packets: 300, packetsPerSecond: 100, lossRatio: [0, 0], medianRttMs: [1595, 1850] }],
} satisfies Scenario;

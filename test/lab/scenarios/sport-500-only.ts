import { reflectorOnTwo } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 500 is let out from source port 500 only, as tunnels use it.',
  rules: forward('iifname "lan0" udp dport 500 udp sport != 500 drop'),
  parts: [reflectorOnTwo()],

  profiles: ['wifi-calling-3gpp'],
  really: { 'udp/500': 'flows-die' },
  expect: { 'udp/500': ['degraded/flow-loss', 'pass/answered', 'unknown/*'] },
  services: { 'wifi-calling-3gpp': ['works', 'degraded', 'unknown'] },
  perhapsSymptoms: { 'wifi-calling-3gpp': ['some-calls-silent', 'wifi-calling-unavailable', 'lost-inbound-calls'] },
  notFixed: 'what uses the port needs no rule',
  measure: [
    { port: 500, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 500, sourcePort: 500, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
  ],
} satisfies Scenario;

import { reflectorOnTwo } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 4500 is let out from source port 4500 only, as tunnels use it.',
  rules: forward('iifname "lan0" udp dport 4500 udp sport != 4500 drop'),
  parts: [reflectorOnTwo()],

  profiles: ['wifi-calling-3gpp'],
  really: { 'udp/4500': 'flows-die' },
  expect: { 'udp/4500': ['degraded/flow-loss', 'pass/answered', 'unknown/*'] },
  services: { 'wifi-calling-3gpp': ['works', 'degraded', 'unknown'] },
  perhapsSymptoms: { 'wifi-calling-3gpp': ['some-calls-silent', 'wifi-calling-unavailable', 'lost-inbound-calls'] },
  notFixed: 'what uses the port needs no rule',
  measure: [
    { port: 4500, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 4500, sourcePort: 4500, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
  ],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 5060 is let out from source port 5060 only, as desk phones use it.',
  rules: forward('iifname "lan0" udp dport 5060 udp sport != 5060 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  // Some phones work and others do not: no port is blocked, and it is no pass.
  really: { 'udp/5060': 'flows-die' },
  expect: {
    'sip-options/udp/5060': ['degraded/flow-loss', 'unknown/*'],
    'udp/5060': ['degraded/flow-loss', 'unknown/*'],
  },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['some-calls-silent', 'cannot-register', 'lost-inbound-calls'] },
  says: [/source port 5060/],
  eachAlone: true,
  notFixed: 'phones that use the port need no rule',
  measure: [
    { port: 5060, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 5060, sourcePort: 5060, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
  ],
} satisfies Scenario;

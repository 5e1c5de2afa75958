import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 5060 is let out from any source port but 5060: something holds that port for itself.',
  rules: forward('iifname "lan0" udp dport 5060 udp sport 5060 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  // The check asks from a port of its own; phones that use 5060 are another question.
  really: { 'udp/5060': 'flows-die' },
  services: { 'business-sip': 'degraded' },
  perhapsSymptoms: { 'business-sip': ['some-calls-silent', 'cannot-register', 'lost-inbound-calls'] },
  report: { nat: { sourcePorts: [{ port: 5060, answered: false }] } },
  says: [/source port 5060/],
  notFixed: 'nothing is to be permitted by port',
  measure: [
    { port: 5060, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
    { port: 5060, sourcePort: 5060, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
  ],
} satisfies Scenario;

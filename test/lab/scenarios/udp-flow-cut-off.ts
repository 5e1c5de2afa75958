import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Each UDP flow is cut off after 20,000 bytes: short exchanges pass and calls end.',
  rules: forward('meta l4proto udp ct original bytes > 20000 drop'),
  sysctl: { 'net.netfilter.nf_conntrack_acct': '1' },
  measure: [{ port: 16_384, packets: 400, packetsPerSecond: 400, lossRatio: [0.7, 0.76] }],
  expectLater: [{ issue: 'media streams', services: { 'business-sip': 'degraded' } }],
} satisfies Scenario;

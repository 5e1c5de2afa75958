import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Each UDP flow is cut off after 20,000 bytes: short exchanges pass and calls end.',
  rules: forward('meta l4proto udp ct original bytes > 20000 drop'),
  sysctl: { 'net.netfilter.nf_conntrack_acct': '1' },
  args: ['--media', '6'],
  measure: [{ port: 16_384, packets: 400, packetsPerSecond: 400, lossRatio: [0.7, 0.76] }],
  expect: { 'media-stream/udp/16384': 'degraded/loss' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-drop'] },
  cause: { 'business-sip': 'flow-quota' },
  // What watches the line keeps to one flow as well, which a long run fills.
  outages: 'perhaps',
  notFixed: 'a limit for each flow is no rule about ports',
} satisfies Scenario;

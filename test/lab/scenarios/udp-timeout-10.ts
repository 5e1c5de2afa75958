import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { Between, type Scenario } from '../scenario.js';

const lifetime = { transport: 'udp', atLeastSeconds: new Between(8, 10), belowSeconds: new Between(10, 12) };

export default {
  about: 'The firewall forgets UDP flows after 10 seconds of silence.',
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '10', 'net.netfilter.nf_conntrack_udp_timeout_stream': '10' },
  parts: [reflectorOnTwo()],
  args: [...SMALL_MEDIA_RANGE, '--transport', 'udp', '--deep', '--timeout', '75', '--max-pps', '1000'],
  report: {
    nat: {
      bindingLifetime: [
        { ...lifetime, port: 5060, bidirectional: false, keepaliveSeconds: new Between(6, 8) },
        { ...lifetime, port: 5060, bidirectional: true },
        { ...lifetime, port: 3478, bidirectional: false },
        { ...lifetime, port: 3478, bidirectional: true },
      ],
    },
  },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
  cause: { 'business-sip': 'idle-timeout' },
} satisfies Scenario;

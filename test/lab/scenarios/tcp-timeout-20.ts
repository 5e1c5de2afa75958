import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'The firewall forgets TCP connections after 20 seconds of silence.',
  sysctl: {
    'net.netfilter.nf_conntrack_tcp_timeout_established': '20',
    // The sooner these are known the sooner the run ends.
    'net.netfilter.nf_conntrack_udp_timeout': '5',
    'net.netfilter.nf_conntrack_udp_timeout_stream': '5',
  },
  parts: [reflectorOnTwo()],
  args: [...SMALL_MEDIA_RANGE, '--transport', 'tcp', '--deep', '--timeout', '100', '--max-pps', '1000'],
  report: { nat: { bindingLifetime: [{ port: 5060, transport: 'tcp', atLeastSeconds: 10, belowSeconds: 25 }] } },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
  cause: { 'business-sip': 'idle-timeout' },
} satisfies Scenario;

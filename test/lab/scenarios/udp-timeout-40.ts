import type { Scenario } from '../scenario.js';

export default {
  about: 'The firewall forgets UDP flows after 40 seconds of silence.',
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '40', 'net.netfilter.nf_conntrack_udp_timeout_stream': '40' },
  // Measuring it takes longer than this lab has; udp-timeout-10 does.
} satisfies Scenario;

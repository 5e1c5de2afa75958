import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { Between, type Scenario } from '../scenario.js';

export default {
  about: 'The firewall forgets UDP flows after 10 seconds of silence.',
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '10', 'net.netfilter.nf_conntrack_udp_timeout_stream': '10' },
  parts: [reflectorOnTwo()],
  args: [...SMALL_MEDIA_RANGE, '--deep', '--timeout', '75'],
  report: {
    nat: {
      bindingLifetime: [
        { port: 5060, transport: 'udp', bidirectional: false, atLeastSeconds: new Between(5, 10) },
        { port: 5060, transport: 'udp', bidirectional: true, atLeastSeconds: new Between(5, 10) },
      ],
    },
  },
} satisfies Scenario;

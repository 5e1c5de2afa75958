import { Between, type Scenario } from '../scenario.js';

const lifetime = {
  port: 4500,
  transport: 'udp',
  atLeastSeconds: new Between(8, 10),
  belowSeconds: new Between(10, 12),
};

export default {
  about: "The firewall forgets a tunnel's mapping after 10 seconds, long before the next keepalive: calls are lost.",
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '10', 'net.netfilter.nf_conntrack_udp_timeout_stream': '10' },
  profiles: ['wifi-calling-3gpp'],
  args: ['--deep', '--timeout', '90', '--max-pps', '1000'],
  really: { 'nat-behavior/udp/4500': 'dropped-inbound' },
  services: { 'wifi-calling-3gpp': 'impaired' },
  report: {
    nat: {
      bindingLifetime: [
        { ...lifetime, bidirectional: false },
        { ...lifetime, bidirectional: true },
      ],
    },
  },
  symptoms: { 'wifi-calling-3gpp': ['lost-inbound-calls'] },
  cause: { 'wifi-calling-3gpp': 'idle-timeout' },
} satisfies Scenario;

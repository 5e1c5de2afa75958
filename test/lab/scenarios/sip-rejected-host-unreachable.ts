import { forward, type Scenario } from '../scenario.js';

export default {
  about: "All three ways of SIP are rejected with ICMP host-unreachable, which Node's UDP sockets never hear of.",
  rules: forward('meta l4proto { tcp, udp } th dport { 5060, 5061 } reject with icmp host-unreachable'),
  really: { 'udp/5060': 'rejected', 'tcp/5060': 'rejected', 'tls/5061': 'rejected' },
  notVerified: 'the sockets that send messages by hand hear of it over TCP alone',
  services: { 'business-sip': 'blocked' },
  symptoms: { 'business-sip': ['cannot-register'] },
  cause: { 'business-sip': 'rejected-by' },
  says: [/10\.77\.0\.1 \(this site's firewall or router\) rejects .*: host unreachable/],
} satisfies Scenario;

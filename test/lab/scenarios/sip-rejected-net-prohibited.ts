import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'All three ways of SIP are rejected with ICMP net-prohibited; media passes.',
  rules: forward('meta l4proto { tcp, udp } th dport { 5060, 5061 } reject with icmp net-prohibited'),
  really: { 'udp/5060': 'rejected', 'tcp/5060': 'rejected', 'tls/5061': 'rejected' },
  services: { 'business-sip': 'blocked' },
  symptoms: { 'business-sip': ['cannot-register'] },
  cause: { 'business-sip': 'rejected-by' },
  says: [/10\.77\.0\.1 \(.*\) rejects .*: network administratively prohibited/],
} satisfies Scenario;

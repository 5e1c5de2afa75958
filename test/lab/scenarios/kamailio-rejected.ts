import { kamailio } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Kamailio as a third party, and what it serves is rejected: the refusal may be its own.',
  rules: forward('meta l4proto { tcp, udp } th dport 5060 reject with icmp port-unreachable'),
  parts: [kamailio()],
  profiles: ['business-sip'],
  token: false,
  really: { '*': 'closed', 'sip-options/udp/5060': 'rejected', 'sip-options/tcp/5060': 'rejected' },
  services: { 'business-sip': 'unknown' },
} satisfies Scenario;

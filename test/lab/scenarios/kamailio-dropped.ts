import { kamailio } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Kamailio as a third party, and what it serves is dropped: its silence proves nothing.',
  rules: forward('meta l4proto { tcp, udp } th dport 5060 drop'),
  parts: [kamailio()],
  profiles: ['business-sip'],
  token: false,
  really: { '*': 'closed', 'sip-options/udp/5060': 'dropped-outbound', 'sip-options/tcp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'unknown' },
} satisfies Scenario;

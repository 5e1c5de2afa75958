import { kamailio } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Kamailio as a third party whose ICMP errors are dropped: its closed UDP ports are silent, and not blocked.',
  rules: forward('meta l4proto icmp drop'),
  parts: [kamailio()],
  token: false,
  really: {
    '*': 'closed',
    'udp/*': 'dropped-inbound',
    'sip-options/udp/5060': 'open',
    'sip-options/tcp/5060': 'open',
  },
} satisfies Scenario;

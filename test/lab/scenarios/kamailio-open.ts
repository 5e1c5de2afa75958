import { kamailio } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'Kamailio as a third party behind a firewall that blocks nothing.',
  parts: [kamailio()],
  profiles: ['business-sip'],
  token: false,
  really: { '*': 'closed', 'sip-options/udp/5060': 'open', 'sip-options/tcp/5060': 'open' },
  services: { 'business-sip': 'works' },
  cause: { 'business-sip': 'none' },
} satisfies Scenario;

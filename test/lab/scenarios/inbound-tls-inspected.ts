import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Direct Routing behind an inspection that lets connections in and drops the TLS that is said over them.',
  topology: 'routed',
  // The first octet behind a TCP header with its twelve octets of timestamps: a handshake record.
  rules: forward('iifname "wan0" tcp dport 5061 @th,256,8 0x16 drop'),
  parts: [reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061'],
  really: { 'inbound/tls/5061': 'filtered' },
  expect: { 'inbound/tls/5061': 'blocked/dropped' },
  services: { 'teams-direct-routing': 'impaired' },
  symptoms: { 'teams-direct-routing': ['lost-inbound-calls'] },
  cause: { 'teams-direct-routing': 'inbound-inspection' },
} satisfies Scenario;

import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Direct Routing behind a firewall that refuses, in the name of the border controller, what begins outside.',
  topology: 'routed',
  rules: forward('iifname "wan0" tcp dport 5061 ct state new reject with tcp reset'),
  parts: [reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061', '--inbound', '49200'],
  really: { 'inbound/tls/5061': 'rejected' },
  services: { 'teams-direct-routing': 'impaired' },
  symptoms: { 'teams-direct-routing': ['lost-inbound-calls'] },
  cause: { 'teams-direct-routing': 'inbound-refused' },
} satisfies Scenario;

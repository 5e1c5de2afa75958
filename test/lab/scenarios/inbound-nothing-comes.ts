import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about:
    'Direct Routing behind a firewall that lets in nothing that begins outside: a firewall at the reflector would look the same.',
  topology: 'routed',
  rules: forward('iifname "wan0" ct state new drop'),
  parts: [reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061', '--inbound', '49200'],
  expect: { 'inbound/*/*': 'unknown/no-way-in' },
  services: { 'teams-direct-routing': 'unknown' },
  cause: { 'teams-direct-routing': 'inbound-kept-out' },
} satisfies Scenario;

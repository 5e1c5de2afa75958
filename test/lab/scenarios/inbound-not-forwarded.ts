import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'Direct Routing behind a NAT that forwards no port: who drops what begins outside cannot be told from inside.',
  parts: [reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061', '--inbound', '49200'],
  expect: { 'inbound/*/*': 'unknown/not-forwarded' },
  services: { 'teams-direct-routing': 'unknown' },
  cause: { 'teams-direct-routing': 'inbound-not-forwarded' },
} satisfies Scenario;

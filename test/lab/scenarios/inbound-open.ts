import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'A border controller for Direct Routing with a public address: what Teams begins comes in over TLS and UDP.',
  topology: 'routed',
  parts: [reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061', '--inbound', '49200'],
} satisfies Scenario;

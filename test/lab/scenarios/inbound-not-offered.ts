import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'The way in is asked of a reflector whose operator does not allow it: untested, and nobody is blamed.',
  topology: 'routed',
  parts: [reflector({ args: ['--profile', 'teams-direct-routing'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061'],
  expect: { 'inbound/*/*': 'unknown/not-run' },
} satisfies Scenario;

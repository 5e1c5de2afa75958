import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about:
    'The border controller itself holds the port at which the probe is to listen: not measured, and nobody is blamed.',
  topology: 'routed',
  parts: [
    reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] }),
    {
      name: 'border-controller',
      host: 'branch',
      needs: { socat: 'socat' },
      start: () => ({
        command: ['socat', '-d', '-d', `TCP4-LISTEN:5061,bind=${ADDRESS.branch},fork`, 'OPEN:/dev/null'],
        ready: { log: 'listening on' },
      }),
    },
  ],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061'],
  expect: { 'inbound/*/*': 'unknown/local-error' },
  services: { 'teams-direct-routing': 'unknown' },
  cause: { 'teams-direct-routing': 'inbound-port-in-use' },
} satisfies Scenario;

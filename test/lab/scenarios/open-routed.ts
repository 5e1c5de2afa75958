import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'A firewall that routes without NAT and blocks nothing.',
  topology: 'routed',
  profiles: ['business-sip', 'wifi-calling-t-mobile', 'facetime'],
  parts: [
    reflector({
      listen: [ADDRESS.target, ADDRESS.second],
      args: ['business-sip', 'wifi-calling-t-mobile', 'facetime'].flatMap((name) => ['--profile', name]),
    }),
  ],
  report: { nat: { mapping: 'none', filtering: 'endpoint-independent', portPreservation: true, layers: 0 } },
} satisfies Scenario;

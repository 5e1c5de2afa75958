import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'An ALG that rewrites nothing and opens the ports that SDP names: no NAT, the helper, and a stateful filter.',
  topology: 'routed',
  rules: sipHelper('udp') + forward('ct state { established, related } accept', 'iifname "wan0" drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  report: {
    nat: { mapping: 'none', filtering: 'address-and-port-dependent' },
    sipAlg: {
      detected: true,
      findings: [{ transport: 'udp', port: 5060, method: 'INVITE', kind: 'pinhole', field: 'RTP from another port' }],
    },
  },
} satisfies Scenario;

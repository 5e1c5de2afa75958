import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A stateful firewall without NAT: no mapping, and still a filter.',
  topology: 'routed',
  rules: forward('ct state { established, related } accept', 'iifname "wan0" drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  report: { nat: { mapping: 'none', filtering: 'address-and-port-dependent', layers: 0 } },
} satisfies Scenario;

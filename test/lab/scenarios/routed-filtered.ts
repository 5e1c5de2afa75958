import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'A stateful firewall without NAT: no mapping, and still a filter.',
  topology: 'routed',
  rules: forward('ct state { established, related } accept', 'iifname "wan0" drop'),
  parts: [reflector({ listen: [ADDRESS.target, ADDRESS.second] })],
  report: { nat: { mapping: 'none', filtering: 'address-and-port-dependent', layers: 0 } },
} satisfies Scenario;

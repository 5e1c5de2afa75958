import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'A NAT that keeps ports and lets in only what answers.',
  rules: forward('ct state { established, related } accept', 'iifname "wan0" drop'),
  parts: [reflector({ listen: [ADDRESS.target, ADDRESS.second] })],
  report: {
    nat: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', portPreservation: true },
  },
} satisfies Scenario;

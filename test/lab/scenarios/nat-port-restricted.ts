import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A NAT that keeps ports and lets in only what answers.',
  rules: forward('ct state { established, related } accept', 'iifname "wan0" drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  report: {
    nat: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', portPreservation: true },
  },
} satisfies Scenario;

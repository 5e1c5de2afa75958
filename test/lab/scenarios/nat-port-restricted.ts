import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A NAT that keeps ports and lets in only what answers.',
  rules: forward('ct state { established, related } accept', 'iifname "wan0" drop'),
  expectLater: [
    {
      issue: 'NAT behaviour',
      report: {
        nat: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', portPreservation: true },
      },
    },
  ],
} satisfies Scenario;

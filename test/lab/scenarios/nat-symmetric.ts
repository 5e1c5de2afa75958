import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { type Scenario, translate } from '../scenario.js';

export default {
  about: 'A NAT that chooses a fresh port for every flow and destination.',
  topology: 'own-nat',
  rules: translate('oifname "wan0" masquerade fully-random'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  report: {
    nat: { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', portPreservation: false },
  },
} satisfies Scenario;

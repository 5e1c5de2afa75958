import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { type Scenario, translate } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'A NAT with an outer address for each destination: whoever else asks sees another one.',
  topology: 'own-nat',
  rules: translate(
    `oifname "wan0" ip daddr ${ADDRESS.target} snat to ${ADDRESS.firewall}`,
    `oifname "wan0" snat to ${ADDRESS.firewallSecond}`,
  ),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  report: { nat: { mapping: 'address-dependent', filtering: 'address-and-port-dependent', portPreservation: true } },
} satisfies Scenario;

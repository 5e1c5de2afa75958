import { reflector } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'Direct Routing behind a NAT that forwards the port of the border controller to it.',
  rules: `
table ip forwarding {
  chain pre {
    type nat hook prerouting priority -100;
    iifname "wan0" tcp dport 5061 dnat to ${ADDRESS.branch}
    iifname "wan0" udp dport 49152-53247 dnat to ${ADDRESS.branch}
  }
}
`,
  parts: [reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061', '--inbound', '49200'],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'A NAT that keeps ports and lets in everybody: all of UDP is forwarded to the branch.',
  topology: 'own-nat',
  rules: `
table ip nat {
  chain pre {
    type nat hook prerouting priority -100;
    iifname "wan0" meta l4proto udp dnat to ${ADDRESS.branch}
  }
  chain post {
    type nat hook postrouting priority 100;
    oifname "wan0" masquerade
  }
}
`,
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  report: { nat: { mapping: 'endpoint-independent', filtering: 'endpoint-independent', portPreservation: true } },
} satisfies Scenario;

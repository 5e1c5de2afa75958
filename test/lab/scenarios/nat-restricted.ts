import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'A NAT that keeps ports, and lets in whoever shares the address of somebody who was written to.',
  topology: 'own-nat',
  rules: `
table ip nat {
  set known {
    typeof ip daddr . udp sport
    flags dynamic
  }
  chain forward {
    type filter hook forward priority 0;
    iifname "lan0" meta l4proto udp add @known { ip daddr . udp sport }
    iifname "wan0" meta l4proto udp ip saddr . udp dport != @known drop
  }
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
  report: { nat: { mapping: 'endpoint-independent', filtering: 'address-dependent', portPreservation: true } },
} satisfies Scenario;

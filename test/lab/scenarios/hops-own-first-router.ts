import { SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: "The site's firewall drops SIP over UDP on arrival, before it looks at the hop limit.",
  topology: 'double-nat',
  hops: true,
  args: SMALL_MEDIA_RANGE,
  rules: `
table inet early {
  chain pre {
    type filter hook prerouting priority -150;
    iifname "lan0" udp dport 5060 drop
  }
}
`,
  really: { 'udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'dropped-after-hop' },
  notFixed: 'it drops in a hook before the chain that the proposed rule is put into',
  says: [/UDP 5060 does not get past 10\.77\.0\.1, the first router/],
} satisfies Scenario;

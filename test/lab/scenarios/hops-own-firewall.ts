import { SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: "The site's firewall drops SIP over UDP as it forwards; behind it stands a carrier's NAT.",
  topology: 'double-nat',
  hops: true,
  args: SMALL_MEDIA_RANGE,
  rules: forward('udp dport 5060 drop'),
  really: { 'udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'dropped-after-hop' },
  says: [/UDP 5060 gets as far as 10\.77\.0\.1 and never to 100\.64\.0\.1/],
  saysNot: [/outside this site/],
} satisfies Scenario;

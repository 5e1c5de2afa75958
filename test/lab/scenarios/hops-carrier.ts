import { SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: "The carrier's NAT drops SIP over UDP, and the site's own firewall lets it pass.",
  topology: 'double-nat',
  hops: true,
  args: SMALL_MEDIA_RANGE,
  carrierRules: forward('udp dport 5060 drop'),
  really: { 'udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'dropped-after-hop' },
  says: [/UDP 5060 gets as far as 100\.64\.0\.1 and never to the far end/, /100\.64\.0\.1 lies outside this site/],
  notFixed: "the rules that the report proposes are for the site's firewall, which drops nothing",
} satisfies Scenario;

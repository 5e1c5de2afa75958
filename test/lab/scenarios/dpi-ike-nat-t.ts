import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection drops IKE on the NAT-T port: only what looks like ESP passes on UDP 4500.',
  // Four zero bytes are the non-ESP marker of RFC 3948 section 2.2.
  rules: forward('udp dport 4500 @th,64,32 0 drop'),
  profiles: ['wifi-calling-t-mobile'],
  // A keepalive is one octet and has no marker, and the tag behind it looks like ESP: both pass.
  really: { 'ike-sa-init/udp/4500': 'filtered' },
  services: { 'wifi-calling-t-mobile': 'blocked' },
  symptoms: { 'wifi-calling-t-mobile': ['wifi-calling-unavailable'] },
  cause: { 'wifi-calling-t-mobile': 'inspection' },
} satisfies Scenario;

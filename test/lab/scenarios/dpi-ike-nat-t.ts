import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection drops IKE on the NAT-T port: only what looks like ESP passes on UDP 4500.',
  // Four zero bytes are the non-ESP marker of RFC 3948 section 2.2.
  rules: forward('udp dport 4500 @th,64,32 0 drop'),
  profiles: ['wifi-calling-t-mobile'],
  really: { 'ike-sa-init/udp/4500': 'filtered', 'nat-t-keepalive/udp/4500': 'filtered' },
  // A keepalive is told with the answer to the IKE message behind it; with that one dropped, it stays unknown whether it passed.
  expect: { 'nat-t-keepalive/udp/4500': ['pass/answered', 'blocked/payload-filtered', 'unknown/no-answer'] },
  services: { 'wifi-calling-t-mobile': 'blocked' },
} satisfies Scenario;

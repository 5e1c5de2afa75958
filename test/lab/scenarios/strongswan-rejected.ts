import { charon } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'strongSwan as a third party, and what it serves is rejected: the refusal may be its own.',
  rules: forward('udp dport { 500, 4500 } reject with icmp port-unreachable'),
  parts: [charon()],
  profiles: ['wifi-calling-t-mobile'],
  token: false,
  really: { '*': 'closed', 'ike-sa-init/udp/500': 'rejected', 'ike-sa-init/udp/4500': 'rejected' },
  // Asked of the carrier's other hosts, whose names nobody here knows.
  expect: { 'tls/443': 'unknown/dns-failure', 'tcp/80': 'unknown/dns-failure' },
  services: { 'wifi-calling-t-mobile': 'unknown' },
} satisfies Scenario;

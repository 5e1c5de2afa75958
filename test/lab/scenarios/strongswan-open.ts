import { charon } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'strongSwan as a third party behind a firewall that blocks nothing.',
  parts: [charon()],
  profiles: ['wifi-calling-t-mobile'],
  token: false,
  really: { '*': 'closed', 'ike-sa-init/udp/500': 'open', 'ike-sa-init/udp/4500': 'open' },
  // Asked of the carrier's other hosts, whose names nobody here knows.
  expect: { 'tls/443': 'unknown/dns-failure', 'tcp/80': 'unknown/dns-failure' },
  services: { 'wifi-calling-t-mobile': 'unknown' },
} satisfies Scenario;

import { names } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'The resolver gives a public address of its own for every name of the kind: no port is to blame.',
  parts: [names({ 'pub.3gppnetwork.org': ['198.51.100.99'] })],
  target: 'epdg.epc.mnc099.mcc999.pub.3gppnetwork.org',
  profiles: ['wifi-calling-3gpp'],
  token: false,
  expect: { 'ike-sa-init/udp/*': 'unknown/dns-failure' },
  services: { 'wifi-calling-3gpp': 'unknown' },
  symptoms: { 'wifi-calling-3gpp': ['wifi-calling-unavailable'] },
  notVerified: 'there is no address to ask',
} satisfies Scenario;

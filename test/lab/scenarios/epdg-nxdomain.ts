import { names } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: 'The resolver knows no gateway of the carrier: no port is to blame.',
  parts: [names({ 'other.example': ['198.51.100.10'] })],
  target: 'epdg.epc.mnc099.mcc999.pub.3gppnetwork.org',
  profiles: ['wifi-calling-3gpp'],
  token: false,
  expect: { 'ike-sa-init/udp/*': 'unknown/dns-failure' },
  services: { 'wifi-calling-3gpp': 'unknown' },
  notVerified: 'there is no address to ask',
  symptoms: { 'wifi-calling-3gpp': ['wifi-calling-unavailable'] },
  cause: { 'wifi-calling-3gpp': 'name-not-resolved' },
} satisfies Scenario;

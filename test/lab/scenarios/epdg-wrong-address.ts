import { names } from '../parts.js';
import type { Scenario } from '../scenario.js';

export default {
  about: "The resolver gives a private address for the carrier's gateway, as filters do: no port is to blame.",
  parts: [names({ 'epdg.epc.mnc099.mcc999.pub.3gppnetwork.org': ['0.0.0.0', '10.77.0.1'] })],
  target: 'epdg.epc.mnc099.mcc999.pub.3gppnetwork.org',
  profiles: ['wifi-calling-3gpp'],
  token: false,
  expect: { 'ike-sa-init/udp/*': 'unknown/dns-failure' },
  services: { 'wifi-calling-3gpp': 'unknown' },
  notVerified: 'there is no address to ask',
  symptoms: { 'wifi-calling-3gpp': ['wifi-calling-unavailable'] },
  cause: { 'wifi-calling-3gpp': 'name-not-resolved' },
} satisfies Scenario;

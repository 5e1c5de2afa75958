import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Keepalives of one octet are dropped on UDP 4500; IKE passes.',
  // 8 bytes of UDP header and one octet.
  rules: forward('udp dport 4500 udp length 9 drop'),
  profiles: ['wifi-calling-t-mobile'],
  really: { 'nat-t-keepalive/udp/4500': 'filtered' },
  services: { 'wifi-calling-t-mobile': 'impaired' },
  symptoms: { 'wifi-calling-t-mobile': ['lost-inbound-calls'] },
  cause: { 'wifi-calling-t-mobile': 'inspection' },
} satisfies Scenario;

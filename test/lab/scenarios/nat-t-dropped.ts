import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 4500 is dropped and 500 passes.',
  rules: forward('udp dport 4500 drop'),
  profiles: ['wifi-calling-t-mobile'],
  really: { 'udp/4500': 'dropped-outbound' },
  services: { 'wifi-calling-t-mobile': 'blocked' },
  symptoms: { 'wifi-calling-t-mobile': ['wifi-calling-unavailable'] },
  cause: { 'wifi-calling-t-mobile': 'port-filter' },
} satisfies Scenario;

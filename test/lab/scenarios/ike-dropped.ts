import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 500 is dropped and 4500 passes: opened by an article that leaves port 500 out.',
  rules: forward('udp dport 500 drop'),
  profiles: ['wifi-calling-t-mobile', 'wifi-calling-t-mobile-article'],
  really: { 'udp/500': 'dropped-outbound' },
  services: { 'wifi-calling-t-mobile': 'blocked' },
  symptoms: { 'wifi-calling-t-mobile': ['wifi-calling-unavailable'] },
  cause: { 'wifi-calling-t-mobile': 'port-filter' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Large ESP in UDP is dropped and small passes: a tunnel over a link that loses its large packets.',
  rules: forward('udp dport 4500 meta length > 1300 drop', 'udp sport 4500 meta length > 1300 drop'),
  profiles: ['wifi-calling-3gpp'],
  really: { 'esp-in-udp/udp/4500': 'size-filtered' },
  services: { 'wifi-calling-3gpp': 'impaired' },
  symptoms: { 'wifi-calling-3gpp': ['long-invites-fail'] },
  cause: { 'wifi-calling-3gpp': 'size-limit' },
  notFixed: 'nothing is to be permitted by port',
} satisfies Scenario;

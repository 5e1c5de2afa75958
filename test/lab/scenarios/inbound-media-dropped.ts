import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Direct Routing whose signalling is let in, and whose media is let in as answers only.',
  topology: 'routed',
  rules: forward('iifname "wan0" udp dport 49152-53247 ct state new drop'),
  parts: [reflector({ args: ['--profile', 'teams-direct-routing', '--inbound'] })],
  profiles: ['teams-direct-routing'],
  args: ['--inbound', '5061', '--inbound', '49200'],
  really: { 'inbound/udp/49200': 'dropped-inbound' },
  services: { 'teams-direct-routing': 'impaired' },
  symptoms: { 'teams-direct-routing': ['one-way-audio-inbound'] },
  cause: { 'teams-direct-routing': 'inbound-filter' },
} satisfies Scenario;

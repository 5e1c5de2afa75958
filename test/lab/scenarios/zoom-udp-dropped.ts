import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP is dropped and TCP 443 passes: Zoom falls back to TCP, works, and sounds worse.',
  rules: forward('meta l4proto udp drop'),
  parts: [reflector({ args: ['--profile', 'zoom'] })],
  profiles: ['zoom'],
  really: { 'udp/*': 'dropped-outbound' },
  services: { zoom: 'degraded' },
  symptoms: { zoom: ['over-fallback'] },
  cause: { zoom: 'port-filter' },
} satisfies Scenario;

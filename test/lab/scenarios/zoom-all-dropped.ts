import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: "Zoom's UDP and TCP 443 are dropped, and a port beside them passes: nothing serves in their place.",
  rules: forward('udp dport 8801-8810 drop', 'tcp dport 443 drop'),
  parts: [reflector({ args: ['--profile', 'zoom', '--control-port', '8443'] })],
  profiles: ['zoom'],
  really: { 'udp/8801-8810': 'dropped-outbound', 'tls/443': 'dropped-outbound' },
  services: { zoom: 'blocked' },
  symptoms: { zoom: ['cannot-sign-in'] },
  cause: { zoom: 'port-filter' },
} satisfies Scenario;

import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Opened for calls only: phones of NFON call, and new ones get neither a configuration nor the time.',
  rules: forward('tcp dport { 80, 83, 443, 18443 } drop', 'udp dport 123 drop'),
  parts: [reflector({ args: ['--profile', 'nfon', '--control-port', '8443'] })],
  profiles: ['nfon'],
  really: {
    'tcp/80': 'dropped-outbound',
    'tcp/83': 'dropped-outbound',
    'tls/443': 'dropped-outbound',
    'tls/18443': 'dropped-outbound',
    'udp/123': 'dropped-outbound',
  },
  services: { nfon: 'impaired' },
  symptoms: { nfon: ['provisioning-fails', 'wrong-time'] },
  cause: { nfon: 'port-filter' },
} satisfies Scenario;

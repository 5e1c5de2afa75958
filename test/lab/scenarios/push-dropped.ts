import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'TCP 5223 is dropped: FaceTime gets its pushes over TCP 443; devices by the older article do not ring.',
  rules: forward('tcp dport 5223 drop'),
  profiles: ['facetime', 'facetime-article'],
  parts: [reflector({ args: ['--profile', 'facetime', '--profile', 'facetime-article'] })],
  really: { 'tls/5223': 'dropped-outbound' },
  services: { 'facetime-article': 'impaired' },
  symptoms: { 'facetime-article': ['push-delayed'] },
  cause: { 'facetime-article': 'port-filter' },
} satisfies Scenario;

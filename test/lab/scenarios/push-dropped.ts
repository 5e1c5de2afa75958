import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'TCP 5223 is dropped: FaceTime works once a call is on, and does not ring.',
  rules: forward('tcp dport 5223 drop'),
  profiles: ['facetime'],
  really: { 'tls/5223': 'dropped-outbound' },
  services: { facetime: 'impaired' },
  symptoms: { facetime: ['push-delayed'] },
  cause: { facetime: 'port-filter' },
} satisfies Scenario;

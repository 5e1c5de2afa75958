import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'UDP 3478 to 3497 is dropped: FaceTime rings and has no media; business phones do not need it.',
  rules: forward('udp dport 3478-3497 drop'),
  profiles: ['business-sip', 'facetime'],
  really: { 'udp/3478-3497': 'dropped-outbound' },
  services: { facetime: 'impaired' },
  symptoms: { facetime: ['no-audio'] },
  cause: { facetime: 'port-filter' },
} satisfies Scenario;

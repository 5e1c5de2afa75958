import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about:
    'A site with phones and no trunk on Webex: TCP 5062, the port of trunks, is dropped, and phones do not miss it.',
  rules: forward('tcp dport 5062 drop'),
  parts: [reflector({ args: ['--udp', '5004,9000,19560-19659', '--tcp', '443,5062,8934'] })],
  args: ['--rtp-range', '19560-19659'],
  profiles: ['webex-calling', 'webex-calling-trunk'],
  really: { 'tls/5062': 'dropped-outbound' },
  services: { 'webex-calling-trunk': 'blocked' },
  symptoms: { 'webex-calling-trunk': ['trunk-down'] },
  cause: { 'webex-calling-trunk': 'port-filter' },
} satisfies Scenario;

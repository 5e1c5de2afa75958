import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: "Apple's push port, TCP 5223, is dropped and TCP 443 passes: devices use 443, and nobody notices.",
  rules: forward('tcp dport 5223 drop'),
  parts: [reflector({ args: ['--profile', 'imessage'] })],
  profiles: ['imessage'],
  really: { 'tls/5223': 'dropped-outbound' },
} satisfies Scenario;

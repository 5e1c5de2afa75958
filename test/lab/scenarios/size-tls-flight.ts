import { forward, type Scenario } from '../scenario.js';
import hello from './size-hello.js';

export default {
  ...hello,
  about: 'IP packets of more than 600 bytes from TCP 5061 vanish, which is where a TLS server shows its certificate.',
  rules: forward('iifname "wan0" tcp sport 5061 ip length > 600 drop'),
} satisfies Scenario;

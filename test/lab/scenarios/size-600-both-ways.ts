import { forward, type Scenario } from '../scenario.js';
import size600 from './size-600.js';

export default {
  ...size600,
  about: 'IP packets of more than 600 bytes vanish both ways, so that no TLS server shows its certificate either.',
  rules: forward('meta l4proto { tcp, udp } meta length > 600 drop'),
} satisfies Scenario;

import { SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'IP packets of more than 1,000 bytes vanish on their way out, UDP and TCP alike.',
  rules: forward('iifname "lan0" meta l4proto { tcp, udp } meta length > 1000 drop'),
  args: SMALL_MEDIA_RANGE,
  really: {},
  services: { 'business-sip': ['degraded', 'impaired', 'unknown'] },
  saysNot: [/inspection|does not answer strangers|a reflector would tell/],
  notFixed: 'nothing is to be permitted by port',
  notVerified: 'no hand-made question is as long',
} satisfies Scenario;

import { SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'IP packets of more than 600 bytes vanish on their way out, UDP and TCP alike.',
  rules: forward('iifname "lan0" meta l4proto { tcp, udp } meta length > 600 drop'),
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'size-filtered', 'tcp/5060': 'size-filtered', 'tls/5061': 'size-filtered' },
  services: { 'business-sip': 'blocked' },
  symptoms: { 'business-sip': ['cannot-register'] },
  cause: { 'business-sip': ['path-mtu', 'size-limit'] },
  saysNot: [/inspection|does not answer unknown clients|a test against a reflector/],
  notFixed: 'nothing is to be permitted by port',
  notVerified: 'no hand-made question is as long',
} satisfies Scenario;

import { SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about:
    'TCP packets of 1,100 to 1,500 bytes to SIP vanish on their way out, as in a black hole of path MTU; short ones pass.',
  rules: forward('iifname "lan0" tcp dport { 5060, 5061 } meta length 1100-1500 drop'),
  args: SMALL_MEDIA_RANGE,
  really: { 'size-sweep/tcp/5060': 'size-filtered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['long-invites-fail'] },
  cause: { 'business-sip': 'path-mtu' },
  notFixed: 'nothing is to be permitted by port',
  notVerified: 'no hand-made question is as long',
} satisfies Scenario;

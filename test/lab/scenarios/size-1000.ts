import { SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about:
    'IP packets of more than 1,000 bytes vanish on their way out: phones register, and no long INVITE passes over anything.',
  rules: forward('iifname "lan0" meta l4proto { tcp, udp } meta length > 1000 drop'),
  args: SMALL_MEDIA_RANGE,
  really: { 'size-sweep/udp/5060': 'size-filtered', 'size-sweep/tcp/5060': 'size-filtered' },
  expect: { 'sip-alg/tls/5061': ['unknown/no-answer', 'pass/answered'] },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['long-invites-fail'] },
  cause: { 'business-sip': 'path-mtu' },
  saysNot: [/inspection|does not answer unknown clients/],
  notFixed: 'nothing is to be permitted by port',
  notVerified: 'no hand-made question is as long',
} satisfies Scenario;

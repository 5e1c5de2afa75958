import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'IP packets of 350 to 600 bytes to TCP 5061 and 443 vanish, which is where a ClientHello is; others pass.',
  rules: forward('iifname "lan0" tcp dport { 443, 5061 } ip length 350-600 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'tls/5061': 'size-filtered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'] },
  cause: { 'business-sip': ['path-mtu', 'size-limit', 'size-gap'] },
  saysNot: [/inspection/],
  notFixed: 'nothing is to be permitted by port',
  notVerified: 'no hand-made question is as long',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'To UDP 5060 a SIP request of more than 1,000 octets is dropped; other bytes of that size pass.',
  rules: forward('iifname "lan0" udp dport 5060 udp length > 1000 @th,64,32 0x4f505449 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'size-sweep/udp/5060': 'size-filtered' },
  // What tells size from content is the same size with other bytes.
  expect: { 'size-sweep/udp/5060': ['blocked/size-filtered', 'blocked/payload-filtered'] },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['long-invites-fail'] },
  notVerified: 'the hand-made large message is no SIP, and passes',
} satisfies Scenario;

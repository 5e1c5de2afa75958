import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'To UDP 5060 datagrams of 1,242 to 1,412 octets vanish, where an INVITE is; shorter and longer ones pass.',
  rules: forward('iifname "lan0" udp dport 5060 udp length 1250-1420 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'size-sweep/udp/5060': 'size-filtered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['long-invites-fail'] },
  measure: [
    { port: 5060, bytes: 1200, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
    { port: 5060, bytes: 1300, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 5060, bytes: 1390, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 5060, bytes: 1450, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
    { port: 5060, bytes: 3000, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
  ],
  notFixed: 'nothing is to be permitted by port',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'To UDP 5060 datagrams of 400 to 480 octets vanish, where an ACK is; shorter and longer ones pass.',
  rules: forward('iifname "lan0" udp dport 5060 udp length 408-488 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'size-sweep/udp/5060': 'size-filtered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['long-invites-fail'] },
  cause: { 'business-sip': 'size-gap' },
  saysNot: [/fragments of UDP|MTU of/],
  measuredOnly: true,
  notFixed: 'nothing is to be permitted by port',
  measure: [
    { port: 5060, bytes: 390, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
    { port: 5060, bytes: 450, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 5060, bytes: 490, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
  ],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'From UDP 5060 answers of 1,100 to 1,500 octets vanish; shorter ones pass, and longer ones in fragments.',
  rules: forward('iifname "wan0" udp sport 5060 udp length 1100-1500 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'size-sweep/udp/5060': 'size-filtered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['transfers-fail'] },
  measure: [
    { port: 5060, bytes: 1000, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
    { port: 5060, bytes: 1120, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 5060, bytes: 1300, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 5060, bytes: 1450, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
    { port: 5060, bytes: 3000, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
  ],
  notFixed: 'nothing is to be permitted by port',
} satisfies Scenario;

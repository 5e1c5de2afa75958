import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Datagrams of more than 150 octets vanish on their way to the media ports; shorter ones of any kind pass.',
  rules: forward('iifname "lan0" udp dport 16384-32767 udp length > 158 drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'rtp-echo/udp/16384-32767': 'size-filtered' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['no-audio'] },
  cause: { 'business-sip': 'size-limit' },
  saysNot: [/inspection|MTU|fragment/],
  notFixed: 'nothing is to be permitted by port',
  measure: [
    { port: 16_384, bytes: 150, packets: 20, packetsPerSecond: 100, lossRatio: [0, 0] },
    { port: 16_384, bytes: 172, packets: 20, packetsPerSecond: 100, lossRatio: [1, 1] },
  ],
} satisfies Scenario;

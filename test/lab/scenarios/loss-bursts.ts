import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Of 200 datagrams 20 in a row are lost; nothing is blocked.',
  rules: forward('meta l4proto udp numgen inc mod 200 < 20 drop'),
  really: { 'udp/*': 'lossy' },
  services: { 'business-sip': ['works', 'degraded'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  repeat: 20,
  measure: [{ port: 16_384, packets: 500, packetsPerSecond: 500, lossRatio: [0.08, 0.2] }],
} satisfies Scenario;

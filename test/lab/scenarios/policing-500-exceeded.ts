import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A flood guard lets 500 datagrams a second out, and the probe was told to send more.',
  rules: forward('oifname "wan0" meta l4proto udp limit rate over 500/second burst 50 packets drop'),
  args: ['--max-pps', '4000'],
  really: { 'udp/*': 'policed' },
  // A busy machine may not reach the limit; then there was none to be seen.
  expect: { 'udp/16384-32767': ['degraded/rate-limited', 'pass/answered'] },
  services: { 'business-sip': ['works', 'degraded'] },
  measure: [{ port: 16_384, packets: 1000, packetsPerSecond: 1000, lossRatio: [0.1, 0.65] }],
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A flood guard lets 100 datagrams a second out, and the probe was told to send many more.',
  rules: forward('oifname "wan0" meta l4proto udp limit rate over 100/second burst 20 packets drop'),
  args: ['--max-pps', '4000'],
  really: { 'udp/*': 'policed' },
  expect: { 'udp/16384-32767': 'degraded/rate-limited' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['choppy-audio'] },
  cause: { 'business-sip': 'flood-guard' },
  measure: [{ port: 16_384, packets: 400, packetsPerSecond: 800, lossRatio: [0.7, 0.95] }],
} satisfies Scenario;

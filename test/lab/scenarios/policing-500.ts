import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A flood guard lets 500 datagrams a second out and drops the rest; nothing is blocked.',
  rules: forward('oifname "wan0" meta l4proto udp limit rate over 500/second burst 50 packets drop'),
  really: { 'udp/*': 'policed' },
  // The default rate stays below the limit; to meet it the probe has to be told to go faster.
  expect: { 'udp/16384-32767': 'pass/answered' },
  services: { 'business-sip': ['works', 'degraded'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  measure: [{ port: 16_384, packets: 1000, packetsPerSecond: 1000, lossRatio: [0.1, 0.65] }],
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'A flood guard lets 50 datagrams a second out and drops the rest; nothing is blocked.',
  rules: forward('oifname "wan0" meta l4proto udp limit rate over 50/second burst 10 packets drop'),
  really: { 'udp/*': 'policed' },
  // One exchange does not show a rate; a range does, and its ports stand for calls at once.
  expect: { 'udp/16384-32767': 'degraded/rate-limited' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['choppy-audio'] },
  cause: { 'business-sip': 'flood-guard' },
  measure: [{ port: 16_384, packets: 400, packetsPerSecond: 400, lossRatio: [0.75, 0.95] }],
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'One packet in five is lost in each direction, and media is dropped altogether.',
  rules: forward('udp dport 16384-32767 drop', 'numgen random mod 100 < 20 drop'),
  really: { '*': 'lossy', 'udp/16384-32767': 'dropped-outbound' },
  // Three attempts in ten fail by chance, so that silence takes long to prove; unproven it is no accusation.
  expect: {
    '*': ['pass/answered', 'degraded/loss', 'degraded/latency', 'unknown/no-answer'],
    // On a busy machine the far end's word, lossy as well, may come too late for a direction, or for a comparison.
    'udp/16384-32767': ['blocked/dropped-outbound', 'blocked/dropped', 'unknown/no-answer'],
    'sip-alg/*/*': ['pass/answered', 'degraded/loss', 'degraded/latency', 'unknown/no-answer', 'unknown/not-run'],
  },
  services: { 'business-sip': ['impaired', 'unknown'] },
  cause: { 'business-sip': ['port-filter', 'silent-reflector'] },
  perhapsSymptoms: { 'business-sip': ['one-way-audio-outbound', 'no-audio', 'choppy-audio'] },
  // A run takes most of the minute that it has by default, and more on a busy machine.
  args: ['--timeout', '110'],
  repeat: 20,
  measure: [{ port: 3478, packets: 500, packetsPerSecond: 500, lossRatio: [0.28, 0.44] }],
} satisfies Scenario;

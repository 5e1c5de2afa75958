import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Twenty UDP packets from the far end to this host pass at once and one a second after that, over all ports.',
  rules: forward('iifname "wan0" meta l4proto udp limit rate over 60/minute burst 20 packets drop'),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/*': 'cut-off' },
  // A single port shows loss, and only all of them together the limit.
  expect: {
    'sip-options/udp/5060': ['pass/answered', 'degraded/loss', 'degraded/rate-limited', 'unknown/*'],
    'stun-binding/udp/3478': ['pass/answered', 'degraded/loss', 'degraded/rate-limited', 'unknown/*'],
  },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
  saysNot: [/inspection|MTU|fragment/],
  // From here a guard that lets in again looks like a line that was away.
  outages: 'perhaps',
  eachAlone: true,
  measuredOnly: true,
  notFixed: 'nothing is to be permitted',
  measure: [{ port: 16_384, packets: 200, packetsPerSecond: 100, lossRatio: [0.87, 0.92] }],
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'An honest NAT that loses 5 % of UDP: no ALG, and its behaviour is never mistaken.',
  rules: forward(
    'meta l4proto udp numgen random mod 100 < 5 drop',
    'ct state { established, related } accept',
    'iifname "wan0" drop',
  ),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/*': 'lossy' },
  services: { 'business-sip': ['works', 'degraded'] },
  report: {
    nat: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
    sipAlg: { detected: false, findings: [] },
  },
  repeat: 3,
  perhapsSymptoms: { 'business-sip': ['choppy-audio'] },
} satisfies Scenario;

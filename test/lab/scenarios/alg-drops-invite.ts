import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'An ALG drops INVITE over UDP and lets OPTIONS pass: registered phones that cannot call.',
  // "INVITE " at the beginning of the UDP payload.
  rules: forward('udp dport 5060 @th,64,56 0x494e5649544520 drop'),
  really: { 'sip-alg/udp/5060': 'filtered' },
  services: { 'business-sip': 'degraded' },
  report: {
    sipAlg: {
      detected: true,
      findings: [{ method: 'INVITE', kind: 'dropped', transport: 'udp', direction: 'outbound' }],
    },
  },
  symptoms: { 'business-sip': ['cannot-call'] },
  cause: { 'business-sip': 'sip-alg' },
} satisfies Scenario;

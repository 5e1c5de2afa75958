import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The router has a SIP ALG on UDP and TCP 5060; TLS stays as it is.',
  rules: sipHelper('udp', 'tcp'),
  really: {
    'sip-options/udp/5060': 'sip-alg',
    'sip-alg/udp/5060': 'sip-alg',
    'tcp/5060': 'sip-alg',
  },
  // The hand-made large message is no SIP, and passes as it is; the probe's is.
  expect: { 'size-sweep/udp/5060': 'altered/sip-alg' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'sip-alg' },
  report: { sipAlg: { detected: true } },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
} satisfies Scenario;

import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The router has a SIP ALG on TCP 5060 only.',
  rules: sipHelper('tcp'),
  really: { 'tcp/5060': 'sip-alg' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'sip-alg' },
  report: {
    sipAlg: { detected: true, findings: [{ transport: 'tcp', port: 5060, method: 'INVITE', field: 'SDP c=' }] },
  },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
} satisfies Scenario;

import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The router has a SIP ALG on TCP 5060 only.',
  rules: sipHelper('tcp'),
  really: { 'tcp/5060': 'sip-alg' },
  services: { 'business-sip': 'degraded' },
  report: {
    sipAlg: { detected: true, findings: [{ transport: 'tcp', port: 5060, method: 'INVITE', field: 'SDP c=' }] },
  },
} satisfies Scenario;

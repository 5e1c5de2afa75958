import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The router has a SIP ALG on TCP 5060 only.',
  rules: sipHelper('tcp'),
  really: { 'tcp/5060': 'sip-alg' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'sip-alg' },
  report: { sipAlg: { detected: true } },
  expectLater: [{ issue: 'what a SIP ALG rewrites', report: { sipAlg: { findings: [{ transport: 'tcp' }] } } }],
} satisfies Scenario;

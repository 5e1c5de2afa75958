import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The router has a SIP ALG on UDP 5060: it rewrites Via, From and Contact.',
  rules: sipHelper('udp'),
  really: { 'sip-options/udp/5060': 'sip-alg' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'sip-alg' },
  report: { sipAlg: { detected: true } },
  expectLater: [
    {
      issue: 'what a SIP ALG rewrites',
      report: {
        sipAlg: {
          findings: [
            { transport: 'udp', port: 5060, field: 'Via', kind: 'rewritten' },
            { transport: 'udp', port: 5060, field: 'Contact', kind: 'rewritten' },
            { transport: 'udp', port: 5060, method: 'INVITE', field: 'SDP c=', kind: 'rewritten' },
          ],
        },
      },
    },
  ],
} satisfies Scenario;

import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The router has a SIP ALG on UDP 5060: it rewrites Via, From and Contact.',
  rules: sipHelper('udp'),
  really: { 'sip-options/udp/5060': 'sip-alg', 'sip-alg/udp/5060': 'sip-alg' },
  // The hand-made large message is no SIP, and passes as it is; the probe's is.
  expect: { 'size-sweep/udp/5060': 'altered/sip-alg' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'sip-alg' },
  report: {
    sipAlg: {
      detected: true,
      findings: [
        { transport: 'udp', port: 5060, field: 'Via', kind: 'rewritten', direction: 'outbound', class: 'semantic' },
        { transport: 'udp', port: 5060, method: 'REGISTER', field: 'Contact', kind: 'rewritten' },
        { transport: 'udp', port: 5060, method: 'INVITE', field: 'SDP c=', kind: 'rewritten' },
        { transport: 'udp', port: 5060, field: 'Via', kind: 'rewritten', direction: 'inbound' },
      ],
    },
  },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
} satisfies Scenario;

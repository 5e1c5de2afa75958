import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The router has a SIP ALG on UDP 5060: it rewrites each message of a call, in both directions.',
  args: ['--call', '--call-idle', '5', '--no-nat'],
  rules: sipHelper('udp'),
  really: { 'sip-options/udp/5060': 'sip-alg', 'sip-alg/udp/5060': 'sip-alg' },
  expect: { 'size-sweep/udp/5060': 'altered/sip-alg', 'call/udp/5060': 'altered/sip-alg' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'sip-alg' },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
  report: {
    sipAlg: {
      detected: true,
      findings: [
        { transport: 'udp', port: 5060, method: 'BYE', field: 'Via', kind: 'rewritten', direction: 'outbound' },
        { transport: 'udp', port: 5060, method: 'ACK', field: 'Via', kind: 'rewritten', direction: 'outbound' },
      ],
    },
    calls: [
      {
        steps: [
          { step: 'register', verdict: 'altered' },
          { step: 'invite', verdict: 'altered' },
          { step: 'media-outbound', verdict: 'pass' },
        ],
      },
    ],
  },
} satisfies Scenario;

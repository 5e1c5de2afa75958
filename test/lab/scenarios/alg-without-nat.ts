import { type Scenario, sipHelper } from '../scenario.js';

export default {
  about: 'The SIP helper is on and no address changes: nothing is rewritten, and nothing may be accused.',
  topology: 'routed',
  rules: sipHelper('udp', 'tcp'),
  cause: { 'business-sip': 'none' },
  report: { sipAlg: { detected: false } },
} satisfies Scenario;

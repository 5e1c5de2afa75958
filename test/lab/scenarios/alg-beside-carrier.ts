import { kamailio, reflector, SMALL_MEDIA_RANGE } from '../parts.js';
import { type Scenario, sipHelper } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about:
    "Somebody else's SIP server behind a SIP ALG, and a reflector beside it: only the reflector tells what arrives.",
  rules: sipHelper('udp'),
  parts: [kamailio(), reflector({ listen: [ADDRESS.second] })],
  args: ['--reflector', ADDRESS.second, ...SMALL_MEDIA_RANGE],
  really: { 'sip-alg/udp/5060': 'sip-alg', 'tls/5061': 'closed', 'stun-binding/udp/3478': 'closed' },
  expect: { 'size-sweep/udp/5060': 'altered/sip-alg' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['lost-inbound-calls'] },
  cause: { 'business-sip': 'sip-alg' },
  report: { sipAlg: { detected: true } },
  notVerified: 'the hand-made questions go to one address, and here two answer',
} satisfies Scenario;

import { kamailio, reflector } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'SIP on 5060 ends at another server than the one that was asked.',
  rules: intercept(`meta l4proto { tcp, udp } th dport 5060 dnat to ${ADDRESS.second}`),
  parts: [reflector(), kamailio({ address: ADDRESS.second })],
  really: {
    'sip-options/udp/5060': 'intercepted',
    'sip-options/tcp/5060': 'intercepted',
    'size-sweep/udp/5060': 'dead',
  },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'interception' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'All three ways of SIP are dropped on their way out; media passes.',
  rules: forward('meta l4proto { tcp, udp } th dport { 5060, 5061 } drop'),
  really: { 'udp/5060': 'dropped-outbound', 'tcp/5060': 'dropped-outbound', 'tls/5061': 'dropped-outbound' },
  services: { 'business-sip': 'blocked' },
  symptoms: { 'business-sip': ['cannot-register'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

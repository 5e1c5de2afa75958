import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The answers of all three ways of SIP are rejected towards the server: the branch sees silence.',
  rules: forward(
    'iifname "wan0" udp sport 5060 reject with icmp admin-prohibited',
    'iifname "wan0" tcp sport { 5060, 5061 } reject with tcp reset',
  ),
  really: { 'udp/5060': 'dropped-inbound', 'tcp/5060': 'dropped-inbound', 'tls/5061': 'dropped-inbound' },
  services: { 'business-sip': 'blocked' },
  symptoms: { 'business-sip': ['cannot-register'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

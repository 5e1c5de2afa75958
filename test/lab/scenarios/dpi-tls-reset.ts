import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection resets TLS on 5061 as soon as the handshake begins.',
  // 0x16 begins a TLS record that carries a handshake (RFC 8446 section 5.1); @ih is what follows the TCP header.
  rules: forward('tcp dport 5061 @ih,0,8 0x16 reject with tcp reset'),
  really: { 'tls/5061': 'rejected' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

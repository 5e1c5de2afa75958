import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection drops TLS on 5061: the connection opens and the handshake is never answered.',
  // 0x16 begins a TLS record that carries a handshake (RFC 8446 section 5.1); @ih is what follows the TCP header.
  rules: forward('tcp dport 5061 @ih,0,8 0x16 drop'),
  really: { 'tls/5061': 'filtered' },
  expect: { 'tls/5061': 'blocked/payload-filtered' },
  services: { 'business-sip': 'degraded' },
  symptoms: { 'business-sip': ['calls-not-private'] },
  cause: { 'business-sip': 'inspection' },
} satisfies Scenario;

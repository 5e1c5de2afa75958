import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Media is rejected with ICMP admin-prohibited.',
  rules: forward('udp dport 16384-32767 reject with icmp admin-prohibited'),
  really: { 'udp/16384-32767': 'rejected' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['no-audio'] },
  cause: { 'business-sip': 'rejected-by' },
} satisfies Scenario;

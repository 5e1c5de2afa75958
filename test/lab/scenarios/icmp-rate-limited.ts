import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Media is rejected, and the firewall sends one ICMP error a second as the kernel does by default.',
  rules: forward('udp dport 16384-32767 reject with icmp admin-prohibited'),
  sysctl: { 'net.ipv4.icmp_ratelimit': '1000' },
  really: { 'udp/16384-32767': 'rejected' },
  // A port whose ICMP error was held back looks dropped, and that is an honest verdict.
  expect: { 'udp/16384-32767': ['blocked/rejected', 'blocked/dropped-outbound'] },
  services: { 'business-sip': 'impaired' },
  cause: { 'business-sip': ['rejected-by', 'port-filter'] },
  perhapsSymptoms: { 'business-sip': ['no-audio', 'one-way-audio-outbound'] },
  notVerified: 'which of many rejections are held back is chance',
} satisfies Scenario;

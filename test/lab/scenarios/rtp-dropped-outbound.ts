import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Media is dropped on its way out; signalling passes.',
  rules: forward('udp dport 16384-32767 drop'),
  really: { 'udp/16384-32767': 'dropped-outbound' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['one-way-audio-outbound'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Media goes out and is dropped on its way back.',
  rules: forward('iifname "wan0" udp sport 16384-32767 drop'),
  really: { 'udp/16384-32767': 'dropped-inbound' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['one-way-audio-inbound'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

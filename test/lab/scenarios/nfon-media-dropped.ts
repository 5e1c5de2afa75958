import { reflector } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about:
    'Phones of NFON register, load their configuration and have no audio: the ports that it goes over are dropped.',
  rules: forward('udp dport 16384-32767 drop'),
  parts: [reflector({ args: ['--profile', 'nfon'] })],
  profiles: ['nfon'],
  really: { 'udp/16384-32767': 'dropped-outbound' },
  services: { nfon: 'impaired' },
  symptoms: { nfon: ['one-way-audio-outbound'] },
  cause: { nfon: 'port-filter' },
} satisfies Scenario;

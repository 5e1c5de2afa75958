import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Three stretches of the media range are dropped, one of them on the way back only.',
  rules: forward(
    'udp dport 18000-20999 drop',
    'iifname "wan0" udp sport 23000-25499 drop',
    'udp dport 28001-30500 drop',
  ),
  really: {
    'udp/18000-20999': 'dropped-outbound',
    'udp/23000-25499': 'dropped-inbound',
    'udp/28001-30500': 'dropped-outbound',
  },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['some-calls-silent'] },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The odd ports of the media range are dropped: RTP passes and RTCP does not.',
  // The lowest bit of the destination port is bit 31 of the UDP header.
  rules: forward('udp dport 16384-32767 @th,31,1 1 drop'),
  really: { 'udp/16384-32767:odd': 'dropped-outbound' },
  services: { 'business-sip': 'impaired' },
  cause: { 'business-sip': 'port-filter' },
} satisfies Scenario;

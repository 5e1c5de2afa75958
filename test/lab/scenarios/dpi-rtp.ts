import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection drops what looks like RTP; RTCP and other bytes pass on the same ports.',
  // Version 2, no padding, no extension, no contributing source; below 64 the payload type is no RTCP.
  rules: forward('udp dport 16384-32767 @th,64,8 0x80 @th,73,1 0 drop'),
  really: { 'rtp-echo/udp/16384-32767': 'filtered' },
  services: { 'business-sip': 'impaired' },
  symptoms: { 'business-sip': ['no-audio'] },
  cause: { 'business-sip': 'inspection' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Inspection drops ESP in UDP: IKE passes on 4500 and the tunnel that it negotiates carries nothing.',
  // What does not begin with the non-ESP marker is ESP (RFC 3948 section 2.2); a keepalive is too short to be looked at.
  rules: forward('udp dport 4500 @th,64,32 != 0 drop'),
  profiles: ['wifi-calling-t-mobile'],
  really: { 'nat-t-keepalive/udp/4500': 'filtered', 'esp-in-udp/udp/4500': 'filtered' },
  services: { 'wifi-calling-t-mobile': 'impaired' },
  cause: { 'wifi-calling-t-mobile': 'inspection' },
  symptoms: { 'wifi-calling-t-mobile': ['wifi-calling-unavailable'] },
} satisfies Scenario;

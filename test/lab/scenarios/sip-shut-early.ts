import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { cutOff, STOPPED } from '../trouble.js';

export default {
  about: 'After three packets to UDP 5060 that port is shut for this host, before all of its samples are in.',
  rules: cutOff({ counts: 'udp dport 5060', after: { packets: 3 }, drops: 'udp dport 5060', seconds: null }),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'udp/5060': 'cut-off' },
  // SIP over TCP and TLS passes all the time.
  services: { 'business-sip': 'works' },
  says: [/UDP 5060 passed at first/],
  saysNot: [STOPPED, /inspection|MTU|fragment|source port|of the flows/],
  eachAlone: true,
  measuredOnly: true,
  repeat: 2,
  notFixed: 'the guard has shut this host out, and no rule about ports lets it in again',
  measure: [{ port: 5060, packets: 100, packetsPerSecond: 100, lossRatio: [0.95, 0.98] }],
} satisfies Scenario;

import type { Scenario } from '../scenario.js';
import { cutOff } from '../trouble.js';
import sipShutMidrun from './sip-shut-midrun.js';

export default {
  ...sipShutMidrun,
  about: 'After three packets to UDP 5060 that port is shut for this host, before all of its samples are in.',
  rules: cutOff({ counts: 'udp dport 5060', after: { packets: 3 }, drops: 'udp dport 5060', seconds: null }),
  notFixed: 'the guard has shut this host out, and no rule about ports lets it in again',
  measure: [{ port: 5060, packets: 100, packetsPerSecond: 100, lossRatio: [0.95, 0.98] }],
} satisfies Scenario;

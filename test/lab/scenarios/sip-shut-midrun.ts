import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import type { Scenario } from '../scenario.js';
import { outage, STOPPED } from '../trouble.js';

export default {
  about:
    'From one and a half seconds after the first packet on, UDP 5060 is dropped for good: a rule that comes mid-run.',
  rules: outage({ after: { seconds: 1.5 }, seconds: null, only: 'udp dport 5060' }),
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
  notFixed: 'the rule has come during the run, and what is proposed is for what was silent all the time',
  measure: [{ port: 5060, packets: 500, packetsPerSecond: 100, lossRatio: [0.65, 0.75] }],
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Something drops the ACK that confirms a call; everything else of SIP passes.',
  args: ['--call', '--call-idle', '5', '--no-nat'],
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '120' },
  // "ACK " at the beginning of the UDP payload.
  rules: forward('udp dport 5060 @th,64,32 0x41434b20 drop'),
  really: { 'call/udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'impaired' },
  cause: { 'business-sip': 'call-inspection' },
  symptoms: { 'business-sip': ['calls-drop'] },
  report: {
    calls: [
      {
        steps: [
          { step: 'invite', verdict: 'pass' },
          { step: 'ack', verdict: 'blocked', reason: 'dropped-outbound' },
          { step: 'bye', verdict: 'pass' },
        ],
      },
    ],
  },
  notFixed: 'what inspects calls is switched off, and no rule that opens a port does that',
} satisfies Scenario;

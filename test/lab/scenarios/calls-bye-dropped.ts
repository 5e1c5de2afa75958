import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Something drops BYE, whoever hangs up; calls stand, and never end.',
  args: ['--call', '--call-idle', '5', '--no-nat'],
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '120' },
  // "BYE " at the beginning of the UDP payload.
  rules: forward('meta l4proto udp @th,64,32 0x42594520 drop'),
  really: { 'call/udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'call-inspection' },
  symptoms: { 'business-sip': ['calls-drop'] },
  report: {
    calls: [
      {
        steps: [
          { step: 'hold', verdict: 'pass' },
          { step: 'bye', verdict: 'blocked', reason: 'dropped-outbound' },
        ],
      },
    ],
  },
  notFixed: 'what inspects calls is switched off, and no rule that opens a port does that',
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'Requests that come from outside are dropped on SIP’s port, also within calls; answers pass.',
  args: ['--call', '--call-idle', '5', '--no-nat'],
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '120' },
  // "INVI", "UPDA", "BYE " and "NOTI" at the beginning of the UDP payload.
  rules: forward('iifname "wan0" udp sport 5060 @th,64,32 { 0x494e5649, 0x55504441, 0x42594520, 0x4e4f5449 } drop'),
  really: { 'call/udp/5060': 'dropped-inbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'call-inspection' },
  symptoms: { 'business-sip': ['lost-inbound-calls', 'calls-drop', 'transfers-fail'] },
  report: {
    calls: [
      {
        steps: [
          { step: 'hold', verdict: 'pass' },
          { step: 'remote-hold', verdict: 'blocked', reason: 'dropped-inbound' },
          { step: 'bye', verdict: 'pass' },
        ],
      },
    ],
  },
  notFixed: 'what inspects calls is switched off, and no rule that opens a port does that',
} satisfies Scenario;

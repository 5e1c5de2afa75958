import type { Scenario } from '../scenario.js';

export default {
  about: 'A firewall that forgets calls: 30 seconds after the first packet of a flow nothing of it passes any more.',
  args: ['--call', '--no-nat'],
  sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '120' },
  // A flow is remembered for 30 s from its first packet on, and one that is remembered no more has had its time.
  rules: `
table inet filter {
  set young {
    type ipv4_addr . inet_service . ipv4_addr . inet_service;
    flags timeout, dynamic;
    timeout 30s;
  }
  chain forward {
    type filter hook forward priority 0;
    iifname "lan0" ct state new meta l4proto udp add @young { ip saddr . udp sport . ip daddr . udp dport }
    iifname "lan0" meta l4proto udp ip saddr . udp sport . ip daddr . udp dport != @young drop
  }
}
`,
  really: { 'call/udp/5060': 'dropped-outbound' },
  services: { 'business-sip': 'degraded' },
  cause: { 'business-sip': 'call-inspection' },
  symptoms: { 'business-sip': ['calls-drop', 'lost-inbound-calls'] },
  report: { calls: [{}, { steps: [{ step: 'long', verdict: 'blocked' }] }] },
  notFixed: 'what inspects calls is switched off, and no rule that opens a port does that',
} satisfies Scenario;

import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The first SYN of each connection is lost, and the second, a second later, passes.',
  rules: forward(
    'iifname "lan0" tcp flags & (syn | ack) == syn ip saddr . tcp sport . tcp dport @seen accept',
    'iifname "lan0" tcp flags & (syn | ack) == syn add @seen { ip saddr . tcp sport . tcp dport } drop',
  ).replace(
    'chain forward',
    'set seen { typeof ip saddr . tcp sport . tcp dport; flags dynamic,timeout; timeout 60s; size 65535; }\n  chain forward',
  ),
  parts: [reflectorOnTwo()],
  args: SMALL_MEDIA_RANGE,
  really: { 'tcp/*': 'first-lost', 'tls/*': 'first-lost' },
  services: { 'business-sip': ['works', 'degraded'] },
  saysNot: [/[Oo]verloaded|loses packets|Wi-Fi/],
  outages: 'perhaps',
  notFixed: 'nothing is to be permitted',
  measureFlows: [
    { port: 5060, transport: 'tcp', flows: 20, flowsPerSecond: 10, deadRatio: [0, 0], firstRttMs: [900, 1300] },
  ],
} satisfies Scenario;

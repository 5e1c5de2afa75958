import type { Scenario } from '../scenario.js';

export default {
  about:
    'The firewall remembers 150 flows of a host and drops the first packet of any further one; no port is blocked.',
  rules: `
table inet filter {
  set hosts {
    type ipv4_addr;
    flags dynamic;
    size 1024;
  }
  chain forward {
    type filter hook forward priority 0;
    oifname "wan0" meta l4proto udp ct state new add @hosts { ip saddr ct count over 150 } drop
  }
}
`,
  // What was asked before the table was full passes; the silence of the rest says nothing about a port.
  expect: { 'udp/*': ['pass/answered', 'degraded/rate-limited', 'unknown/no-answer'] },
  services: { 'business-sip': ['works', 'degraded', 'unknown'] },
  notVerified: 'One question at a time opens too few flows.',
  perhapsSymptoms: { 'business-sip': ['some-calls-silent'] },
  cause: { 'business-sip': ['session-limit', 'none'] },
  notFixed: 'the first run has filled the table, and no rule about ports empties it',
} satisfies Scenario;

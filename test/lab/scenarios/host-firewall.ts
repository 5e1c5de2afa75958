import type { Scenario } from '../scenario.js';

export default {
  about:
    "The firewall of the branch's computer itself refuses to send media: nothing has left it, and no path is to blame.",
  hostRules: `
table inet own {
  chain output {
    type filter hook output priority 0;
    udp dport 16384-32767 drop
  }
}
`,
  expect: { 'udp/16384-32767': 'unknown/local-error' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': 'host-firewall' },
  notVerified: 'what is asked by hand is asked of the path',
} satisfies Scenario;

import { dnsmasq, reflector } from '../parts.js';
import { intercept, type Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: 'The firewall answers DNS itself, whomever the query was for.',
  rules: intercept('meta l4proto { tcp, udp } th dport 53 redirect'),
  parts: [reflector(), dnsmasq('fw', ADDRESS.firewallLan, { 'voip.test': [ADDRESS.target] })],
  profiles: ['facetime'],
  really: { 'dns/udp/53': 'intercepted', 'dns/tcp/53': 'intercepted' },
} satisfies Scenario;

import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The firewall rejects everything with ICMP admin-prohibited.',
  rules: forward('oifname "wan0" reject with icmp admin-prohibited'),
  really: { '*': 'rejected' },
  // Nothing ever came from the target, so whether it listens is not known.
  expect: { '*': ['unknown/closed', 'unknown/target-unreachable'] },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['nothing-listens', 'nothing-passes'] },
} satisfies Scenario;

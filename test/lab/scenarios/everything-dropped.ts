import { forward, type Scenario } from '../scenario.js';

export default {
  about: 'The firewall drops everything: from here this looks like a dead target, and no port may be blamed.',
  rules: forward('drop'),
  really: { '*': 'dead' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': 'nothing-passes' },
} satisfies Scenario;

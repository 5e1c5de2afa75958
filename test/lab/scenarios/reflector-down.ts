import type { Scenario } from '../scenario.js';

export default {
  about: "The target's host is up and its reflector is not running: every port says that it is closed.",
  parts: [],
  really: { '*': 'closed' },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['nothing-listens', 'nothing-passes'] },
} satisfies Scenario;

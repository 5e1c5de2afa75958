import type { Scenario } from '../scenario.js';
import { ADDRESS } from '../topology.js';

export default {
  about: "Nobody has the target's address; the last router says so after a while.",
  parts: [],
  target: ADDRESS.nobody,
  really: { '*': 'dead' },
  expect: { '*': ['unknown/target-unreachable', 'unknown/closed'] },
  services: { 'business-sip': 'unknown' },
  cause: { 'business-sip': ['nothing-passes', 'nothing-listens'] },
} satisfies Scenario;
